"""A name of BACKUP_TARGETS stands for another place: what counts, what is copied, and what comes back."""

from __future__ import annotations

import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from backups_app.errors import CopiesMayBeOnly, TargetMoved, TargetNotFound
from backups_app.models import AuditEvent, BackupCopy
from backups_app.storage import target_looks, target_places, targets
from backups_app.storage.copy_rows import State
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import acts, looking, overview, removing, upkeep
from backups_app.use_cases.retention import facts
from tests.use_cases import test_copies
from tests.use_cases.test_copies import Copied, using

temple, copied = test_copies.temple, test_copies.copied


def now() -> datetime:
    return datetime.now(UTC)


def prepare(found: Copied) -> None:
    found.target.root.mkdir()
    found.target.prepare(database=found.temple.database.name)


def look(found: Copied) -> None:
    """What the worker does at each tick."""
    if looking.is_due(configuration=found.configuration, now=now()):
        looking.look_where_due(configuration=found.configuration, now=now())


@pytest.mark.parametrize("looks_first", [True, False])
def test_copies_of_a_former_place_count_no_more_and_are_made_at_the_new_one(
    copied: Copied, tmp_path: Path, looks_first: bool
) -> None:
    newest = copied.temple.newest_real()
    assert copied.copy() and copied.evidence().newest_is_copied

    with using(copied.temple, tmp_path / "other") as moved:
        prepare(moved)

        assert not moved.evidence().newest_is_copied
        assert not facts.read(configuration=moved.configuration).of(newest).copied
        (copy,) = overview.copies(configuration=moved.configuration, backup_id=newest)
        assert copy.as_json()["error_code"] == TargetMoved.code
        assert looking.is_due(configuration=moved.configuration, now=now())
        if looks_first:
            look(moved)
            assert not moved.evidence().newest_is_copied
        assert moved.copy() == len(copied.there())
        assert moved.there() == copied.there()
        assert moved.evidence().newest_is_copied
        assert not looking.is_due(configuration=moved.configuration, now=now())
        former, present = sorted(
            overview.copies(configuration=moved.configuration, backup_id=newest), key=lambda one: one.target == "nas"
        )
        assert (former.is_at_former_place, present.is_at_former_place) == (True, False)
        assert former.as_json()["error_code"] == TargetMoved.code

    before = copied.there()
    look(copied)  # back again: the copies there count again, and none is made twice
    look(copied)
    assert copied.evidence().newest_is_copied
    assert (copied.copy(), copied.there()) == (0, before)
    assert not looking.is_due(configuration=copied.configuration, now=now())


def test_copies_at_a_former_place_are_forgotten_by_name_and_nothing_there_is_changed(
    copied: Copied, tmp_path: Path
) -> None:
    copied.copy()
    before = copied.there()
    with using(copied.temple, tmp_path / "other") as moved:
        prepare(moved)
        moved.copy()
        every = overview.copies(configuration=moved.configuration)
        (former,) = acts.former_places(one.target for one in every)
        assert (former.target, former.copies) == ("nas", len(before))
        out = io.StringIO()

        call_command("backup_copies", "forget", former.name, "--json", stdout=out)

        assert json.loads(out.getvalue()) == {"place": former.name, "forgotten": len(before)}
        assert acts.former_places(row.target for row in BackupCopy.objects.all()) == []
        assert len(overview.copies(configuration=moved.configuration)) == len(moved.there())
        assert AuditEvent.objects.get(action="copy.forgotten").target == former.name
        for wrong in (former.name, "nas", "other"):
            with pytest.raises(TargetNotFound):
                acts.forget(moved.asked, place=wrong)

    assert copied.there() == before


def test_the_only_known_copies_are_not_forgotten(copied: Copied, tmp_path: Path) -> None:
    gone = copied.temple.add(days=3)
    copied.copy()
    with using(copied.temple, tmp_path / "other") as moved:
        prepare(moved)
        shutil.rmtree(copied.configuration.backup_dir / f"backup_{gone}")
        moved.copy()
        rows = BackupCopy.objects.count()
        (former,) = acts.former_places(row.target for row in BackupCopy.objects.all())

        with pytest.raises(CopiesMayBeOnly) as refused:
            acts.forget(moved.asked, place=former.name)

        assert gone in refused.value.detail
        assert BackupCopy.objects.count() == rows
        assert AuditEvent.objects.get(action="copy.forgotten").result == "copies_may_be_only"


def test_what_was_begun_at_a_former_place_is_begun_again(copied: Copied, tmp_path: Path) -> None:
    newest = copied.temple.newest_real()
    copied.copy()
    BackupCopy.objects.filter(backup_id=newest).update(state=State.FAILED, manifest="")

    with using(copied.temple, tmp_path / "other") as moved:
        prepare(moved)
        look(moved)
        moved.copy()

        assert moved.there() == copied.there()
        row = BackupCopy.objects.get(backup_id=newest, target="nas")
        assert row.place == target_places.mark_of(moved.configuration.targets[0])


def test_a_directory_that_was_moved_with_its_files_counts(copied: Copied, tmp_path: Path) -> None:
    copied.copy()
    copied.target.root.rename(tmp_path / "mounted-here-now")
    with using(copied.temple, tmp_path / "mounted-here-now") as moved:
        assert moved.evidence().newest_is_copied
        assert moved.copy() == 0


def test_files_that_were_moved_to_another_disk_count_once_they_are_listed(copied: Copied, tmp_path: Path) -> None:
    copied.copy()
    with using(copied.temple, tmp_path / "other") as moved:
        prepare(moved)
        for path in copied.target.root.iterdir():
            if path.name != ".store_id":
                shutil.copy2(path, moved.target.root / path.name)
        assert not moved.evidence().newest_is_copied
        look(moved)
        assert moved.evidence().newest_is_copied
        assert moved.copy() == 0
        assert {row.read_back_at for row in BackupCopy.objects.all()} == {None}  # they are read back next


def test_a_row_without_a_place_takes_the_one_where_its_objects_are_listed(copied: Copied) -> None:
    copied.copy()
    BackupCopy.objects.update(place="")
    assert copied.evidence().newest_is_copied
    looking.compare(configuration=copied.configuration, target="nas", now=now())
    assert {row.place for row in BackupCopy.objects.all()} == {target_places.mark_of(copied.configuration.targets[0])}


def test_a_new_place_that_does_not_answer_counts_at_no_time_and_is_asked_each_hour(
    copied: Copied, tmp_path: Path
) -> None:
    copied.copy()
    with using(copied.temple, tmp_path / "other") as moved:  # never prepared
        look(moved)
        assert not moved.evidence().newest_is_copied
        assert not looking.is_due(configuration=moved.configuration, now=now())
        prepare(moved)
        assert looking.is_due(configuration=moved.configuration, now=now() + timedelta(hours=1))
        (failing,) = target_looks.failing(moved.configuration.targets, now=now()).values()
        assert isinstance(failing.failure, TargetMoved) and not failing.is_trusted(now=now())


def test_nothing_at_a_former_place_is_removed_or_read_back(copied: Copied, tmp_path: Path) -> None:
    newest = copied.temple.newest_real()
    copied.copy()
    with using(copied.temple, tmp_path / "other") as moved:
        before = list(BackupCopy.objects.values_list("backup_id", "state", "manifest", "place"))
        moved.clear(days=30)  # the new place is not prepared: nobody can look
        upkeep.read_back_what_is_due(configuration=moved.configuration, now=now() + timedelta(days=30))
        assert list(BackupCopy.objects.values_list("backup_id", "state", "manifest", "place")) == before

        prepare(moved)
        with pytest.raises(TargetMoved):
            removing.remove(moved.asked, backup_id=newest, target="nas", typed=newest)
        moved.clear(days=30)
        assert sorted(BackupCopy.objects.values_list("state", flat=True).distinct()) == [State.COMPLETE]
        assert copied.there()


def bucket(**changes: object) -> TargetSettings:
    return TargetSettings(**{"name": "off", "kind": "s3", "place": "bucket", "prefix": "a", **changes})  # type: ignore[arg-type]


def test_the_address_of_a_bucket_is_its_place() -> None:
    endpoint = (("endpoint", "https://one.example/"),)
    same = bucket(options=(("endpoint", "https://ONE.example"), ("access_key_id", "another")))
    assert target_places.mark_of(bucket(options=endpoint)) == target_places.mark_of(same)
    others = [bucket(), bucket(prefix="b"), bucket(place="c"), bucket(kind="gs"), bucket(options=endpoint)]
    assert len({target_places.mark_of(one) for one in others}) == len(others)


def test_a_directory_that_is_not_there_is_no_other_place(tmp_path: Path) -> None:
    settings = TargetSettings(name="nas", kind="file", place=str(tmp_path / "gone"))
    assert target_places.mark_of(settings) == ""
    assert not target_places.is_other("known", target_places.mark_of(settings))
    assert not targets.directory(settings).root.exists()
