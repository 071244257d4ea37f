"""Incremental runs on a replica set: by the change stream where it may be trusted, read in full and reported where
not."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo.database import Database

from backups_app import configuration as settings
from backups_app.backup_files import metadata
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import IncrementalNeedsBuiltIn, InvalidInput, TempleOpsError
from backups_app.management.terminal import progress_bars
from backups_app.models import AuditEvent
from backups_app.records import INTERNAL, Origin
from backups_app.restore.source import Source
from backups_app.runs import incremental_base, preparation
from backups_app.use_cases import verification
from backups_app.use_cases.listing import listing
from backups_app.use_cases.retention import facts, removal
from tests.contracts.test_incrementals import CHANGES, assert_dumped, fill
from tests.journeys.conftest import AT, contents, run_backup

pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]
A_DAY = timedelta(days=1, minutes=5)


@pytest.fixture
def alone(configured: Configuration) -> Iterator[Configuration]:
    """No Atlas: what is live is what was written here."""
    configuration = dataclasses.replace(configured, cloud_url=Secret(""))
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


def full() -> RunRecord:
    run = run_backup(delete_bookings=False)
    assert run["status"] == "success", run["error_message"]
    return run


def incremental() -> RunRecord:
    run = run_backup(delete_bookings=False, incremental=True)
    assert run["status"] == "success", run["error_message"]
    return run


def assert_whole(run: RunRecord, configuration: Configuration, database: Db) -> None:
    """What the backup stands for is what a full dump of this moment holds, our own records aside."""
    manifest = preparation.manifest_of(preparation.store(configuration), backup_id=run.id)
    temple = {name: one for name, one in manifest.collections.items() if name not in INTERNAL}
    source = Source(folder=Path(run.backup_path), manifest=dataclasses.replace(manifest, collections=temple))
    assert_dumped(database, source, str(configuration.local_url), excluded=INTERNAL)


def test_after_everything_that_a_stream_does_not_report_it_is_the_whole_state(
    alone: Configuration, local_db: Db
) -> None:
    fill(local_db)
    base = full()
    assert incremental().incremental.read == "all"  # the proof of the week

    for number, change in enumerate(CHANGES, 2):
        change(local_db)
        run = incremental()
        assert (run.incremental.base, run.incremental.number, run.incremental.read) == (base.id, number, "stream")
        assert run["consistency"]["kind"] == "snapshot"
        assert_whole(run, alone, local_db)


def test_only_touched_documents_are_read_and_written(alone: Configuration, local_db: Db) -> None:
    local_db["bookings"].insert_many([{"_id": n, "name": f"Lakshmi {n}", "note": "x" * 300} for n in range(5_000)])
    base = full()
    incremental()
    local_db["bookings"].update_many({"_id": {"$mod": [100, 0]}}, {"$set": {"name": "edited"}})

    run = incremental()

    entry = preparation.manifest_of(preparation.store(alone), backup_id=run.id).collections["bookings"]
    assert run.incremental.read == "stream"
    assert entry.overlay is not None
    assert (entry.documents, entry.overlay.own_documents, entry.overlay.gone_documents) == (5_000, 50, 50)
    dump = run.step("dump")
    assert dump is not None
    (label,) = [one for one in dump.labels if one.name == "bookings"]
    assert label.done == 50  # of 5,000
    assert dump.sentence == f"50 documents changed or new, 50 deleted or replaced since backup {base.id}"  # not our own
    assert base.incremental.base is None
    sentence = f"It is incremental: it begins from backup {base.id}, and is restored with it."
    assert sentence in progress_bars.outcome_lines(run)
    assert not any("incremental" in line for line in progress_bars.outcome_lines(base))


def token_gone(run: RunRecord, database: Db) -> None:
    """A token that this server does not know any more is refused like one that it never gave."""
    folder = Path(run.backup_path)
    stream = (metadata.read(folder) or {})["stream"]
    metadata.amend(folder, {"stream": stream | {"token": {"_data": "00"}}})


def record_of_another_run(run: RunRecord, database: Db) -> None:
    """As after a rollback, or a restore of our own records: the document is another one."""
    runs.collection(database).update_one({"_id": run.id}, {"$inc": {"fence": 1}})


def another_set(run: RunRecord, database: Db) -> None:
    folder = Path(run.backup_path)
    metadata.amend(folder, {"stream": (metadata.read(folder) or {})["stream"] | {"set_id": "another"}})


def no_record(run: RunRecord, database: Db) -> None:
    runs.collection(database).delete_one({"_id": run.id})


@pytest.mark.parametrize("spoil", [token_gone, record_of_another_run, another_set, no_record])
def test_a_stream_that_may_not_be_trusted_is_not_and_that_is_reported(
    alone: Configuration, local_db: Db, spoil: Callable[[RunRecord, Db], None]
) -> None:
    local_db["bookings"].insert_many([{"_id": n} for n in range(50)])
    base = full()
    incremental()
    spoil(base, local_db)
    local_db["bookings"].update_one({"_id": 7}, {"$set": {"name": "edited"}})

    run = incremental()

    assert run.incremental.read == "all"
    assert message(run, "Everything was read")
    assert_whole(run, alone, local_db)


def test_a_change_that_the_stream_kept_to_itself_is_found_by_the_count(
    alone: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_db["bookings"].insert_many([{"_id": n} for n in range(50)])
    full()
    incremental()
    local_db["bookings"].insert_one({"_id": "untold"})
    monkeypatch.setattr("backups_app.mongo.change_events.note", lambda *_, **__: None)

    run = incremental()

    assert message(run, 'All of "bookings" was read')
    assert_whole(run, alone, local_db)


def test_an_incremental_deletes_nothing(seeded: Configuration, local_db: Db) -> None:
    full()
    local_db["activities"].insert_one({"_id": "new", "updatedAt": AT})

    run = incremental()

    assert contents(local_db)["activities"] != {}
    assert (run.collections_deleted_local, run.collections_deleted_remote) == ([], [])
    assert run.step("purge_local") is None


def test_the_next_one_is_full_when_it_has_to_be_and_says_why(alone: Configuration, local_db: Db) -> None:
    local_db["bookings"].insert_many([{"_id": n, "note": "x" * 900} for n in range(3_000)])

    first = incremental()
    second = incremental()
    local_db["bookings"].update_many({}, {"$set": {"seen": True}})
    third = incremental()
    fourth = incremental()
    with override_settings(TEMPLEOPS=dataclasses.replace(alone, incremental_max_chain=1)):
        fifth = incremental()
        sixth = incremental()
    store = preparation.store(alone)
    tomorrow = incremental_base.choose(
        store=store, max_chain=96, now=datetime.now(UTC) + A_DAY, is_known_bad=lambda _: False
    )

    assert [run.incremental.base for run in (first, second, third, fourth)] == [None, first.id, first.id, None]
    assert message(first, "there is no good one to begin from")
    assert message(fourth, "more than a fifth has changed")
    assert (fifth.incremental.base, sixth.incremental.base) == (fourth.id, None)
    assert message(sixth, "1 incremental begins from the last one")
    assert isinstance(tomorrow, str)
    assert "a day old" in tomorrow


def message(run: RunRecord, words: str) -> bool:
    return any(words in sentence for sentence in (*run.warnings, *(step.sentence for step in run.steps)))


def test_a_rotten_base_is_no_base(alone: Configuration, local_db: Db) -> None:
    local_db["bookings"].insert_many([{"_id": n} for n in range(50)])
    base = full()
    path = Path(base.backup_path, local_db.name, "bookings.bson")
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b"\x07\x00\x00\x00", b"\x08\x00\x00\x00", 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    run = incremental()

    assert run.incremental.base is None
    assert message(run, f"the last one, {base.id}, is not good")


def test_it_is_refused_with_mongodump_and_with_deletion(alone: Configuration) -> None:
    with (
        override_settings(TEMPLEOPS=dataclasses.replace(alone, backup_engine="mongodump")),
        pytest.raises(IncrementalNeedsBuiltIn),
    ):
        incremental()
    with pytest.raises(InvalidInput):
        run_backup(delete_bookings=True, incremental=True)


def test_a_damaged_base_names_what_begins_from_it_and_a_damaged_incremental_harms_itself_alone(
    alone: Configuration, local_db: Db
) -> None:
    local_db["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(50)])
    base = full()
    first, second = changed_again(local_db, 1), changed_again(local_db, 2)
    damage(Path(first.backup_path, "delta", local_db.name, "bookings.bson"))

    verdicts = {run.id: verified(alone, run) for run in (base, first, second)}
    damage(Path(base.backup_path, local_db.name, "bookings.bson"))
    after = {run.id: verified(alone, run) for run in (base, first, second)}

    assert {one: verdict["verified"] for one, verdict in verdicts.items()} == {
        base.id: True, first.id: False, second.id: True,
    }  # fmt: skip
    assert not any(verdict["verified"] for verdict in after.values())
    assert (
        f"2 incremental backups begin from it and cannot be trusted either: {second.id}, {first.id}"
        in (after[base.id]["problem"])
    )
    assert f"its base, the backup {base.id}, is not good" in after[second.id]["problem"]


def test_a_base_that_a_verification_of_its_incremental_found_rotten_is_marked_and_never_used_again(
    alone: Configuration, local_db: Db
) -> None:
    local_db["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(50)])
    base = full()
    first = changed_again(local_db, 1)
    damage(Path(base.backup_path, local_db.name, "bookings.bson"))

    verdict = verified(alone, first)
    listed = {run.id: run for run in listing.list_runs(configuration=alone)}
    next_one = changed_again(local_db, 2)

    assert f"its base, the backup {base.id}, is not good" in verdict["problem"]
    assert {one: (run.damaged, run.verified) for one, run in listed.items()} == {
        base.id: (True, False), first.id: (True, False),
    }  # fmt: skip
    event = AuditEvent.objects.filter(action=verification.ACTION, target=base.id).order_by("-n").first()
    assert event is not None
    assert (event.result, event.actor) == (verification.DAMAGED, "ananya")
    assert next_one.incremental.base is None
    assert message(next_one, f"the last one, {base.id}, is not good")


def test_what_begins_from_a_base_that_is_found_damaged_is_damaged_everywhere(
    alone: Configuration, local_db: Db
) -> None:
    local_db["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(50)])
    base = full()
    first = changed_again(local_db, 1)
    damage(Path(base.backup_path, local_db.name, "bookings.bson"))
    verified(alone, base)

    (listed,) = (run for run in listing.list_runs(configuration=alone) if run.id == first.id)
    alone_asked = listing.get_run(configuration=alone, backup_id=first.id)
    kept = facts.read(configuration=alone).of(first.id)

    assert (listed.damaged, alone_asked.damaged, kept.verified) == (True, True, False)


def changed_again(database: Db, number: int) -> RunRecord:
    database["bookings"].update_one({"_id": number}, {"$set": {"name": f"edited {number}"}})
    return incremental()


def damage(path: Path) -> None:
    """Flip a bit in the middle, and let the file look as before."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def verified(configuration: Configuration, run: RunRecord) -> dict[str, Any]:
    now = datetime.now(UTC)
    return verification.verify_backup(
        configuration=configuration, backup_id=run.id, requested_by="ananya", origin=Origin.COMMAND, now=now
    )


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_removed_in_any_order_none_is_lost_that_another_needs(
    alone: Configuration, local_db: Db, order: tuple[int, ...]
) -> None:
    local_db["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(50)])
    chain = [full(), changed_again(local_db, 1), changed_again(local_db, 2)]
    with override_settings(TEMPLEOPS=dataclasses.replace(alone, min_keep=1)):
        full()
        for place in order:
            remove(chain[place])
        store = preparation.store(alone)
        here = {place for place, run in enumerate(chain) if run.id in store.backups().ids}

    gone_before = {place: order.index(place) < order.index(0) for place in (1, 2)}
    assert here == (set() if all(gone_before.values()) else {0})
    assert 0 in here or not {1, 2} & here  # whatever is left has its base


def remove(run: RunRecord) -> None:
    with suppress(TempleOpsError):
        removal.remove(
            configuration=settings.current(), backup_id=run.id, typed=run.id, requested_by="ananya",
            origin=Origin.COMMAND, now=datetime.now(UTC),
        )  # fmt: skip
