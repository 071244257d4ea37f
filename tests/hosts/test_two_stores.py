"""Two hosts, each with a backup folder of its own, over one database: nobody decides about, removes or misses what the
other one has, and a copy at a target can be fetched by either."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from backups_app.assurance.sentence import Level
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupElsewhere, StoreMissing
from backups_app.models import BackupCopy, RetentionPolicy, StoreReport, User, WorkerTick
from backups_app.records import Origin
from backups_app.runs.recovery import housekeeping
from backups_app.storage import targets
from backups_app.storage.copy_rows import State
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.backups import backups, placement
from backups_app.use_cases.copies import upkeep, work
from backups_app.use_cases.doctor import doctor, site_looks
from backups_app.use_cases.listing import listing, lost_backups, other_stores
from backups_app.use_cases.notifications import notification_work
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.restores import emptied, restores
from backups_app.use_cases.retention import prune
from backups_app.use_cases.schedules import tick as schedule_tick
from backups_app.use_cases.status import status
from tests.journeys.conftest import Db, run_backup
from tests.journeys.conftest import seeded as seeded
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db
Host = Callable[..., Any]


@pytest.fixture
def on(seeded: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """`with on("b") as configuration:` the rest happens on that host, in its own folder."""

    @contextmanager
    def host(name: str, **changes: Any) -> Iterator[Configuration]:
        folder = seeded.backup_dir if name == "a" else tmp_path / f"backups-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        configuration = dataclasses.replace(seeded, backup_dir=folder, **changes)
        with monkeypatch.context() as patch, override_settings(TEMPLEOPS=configuration):
            patch.setattr("socket.gethostname", lambda: f"host-{name}")
            yield configuration

    yield host


def backup_on(on: Host, name: str, *, delete_bookings: bool = False) -> str:
    with on(name) as configuration:
        if name != "a":
            doctor.adopt_store(configuration=configuration)
        made = run_backup(delete_bookings=delete_bookings)
        assert made.status == "success", made.error_message
        return made.id


def sentence_on(on: Host, name: str) -> tuple[Level, str]:
    with on(name) as configuration:
        found = status.status(configuration=configuration, now=timezone.now())
        return found.verdict, found.sentence


def keep_one() -> None:
    RetentionPolicy.objects.create(enabled=True, last=1, changed_at=timezone.now(), changed_by="ravi")


def work_on(on: Host, name: str) -> None:
    """What the worker of a host does each minute."""
    with on(name) as configuration:
        notification_work.report_silent_problems(configuration=configuration, now=timezone.now())
        housekeeping.tick(configuration=configuration, now=timezone.now())


def test_a_folder_that_nobody_knows_is_refused_until_somebody_adopts_it(on: Host) -> None:
    backup_on(on, "a")

    with on("b") as configuration:
        with pytest.raises(StoreMissing):
            readiness.require_ready(configuration=configuration)
        doctor.adopt_store(configuration=configuration)
        readiness.require_ready(configuration=configuration)


def asked_on(on: Host, name: str) -> str:
    """Ask a host's web process for a run that a worker is to take. Return its id."""
    with on(name):
        return backups.start_backup(
            created_by="ananya", delete_bookings=False, origin=Origin.API, now=timezone.now(), enqueue=False
        ).id


def test_a_run_bears_the_host_and_the_folder_of_its_worker_wherever_it_was_asked_for(on: Host) -> None:
    backup_on(on, "a")
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)
    asked = asked_on(on, "a")

    with on("b") as configuration:
        made = backups.execute(backup_id=asked)

        assert (made.status, made.host) == ("success", "host-b")
        assert made.backup_path == str(configuration.backup_dir / f"backup_{asked}")
        (folder,) = configuration.backup_dir.glob("backup_*")
        written = json.loads((folder / "metadata.json").read_text())
        assert (written["host"], written["backup_path"]) == ("host-b", made.backup_path)
    with on("a") as configuration:
        (run,) = [one for one in listing.list_runs(configuration=configuration, every=True) if one.id == asked]
        assert "lies on host host-b, not on this one" in run.message


def test_a_worker_whose_disk_is_not_mounted_makes_no_store_and_deletes_nothing(on: Host, local_db: Db) -> None:
    backup_on(on, "a")
    local_db["activities"].insert_one({"_id": "still here"})
    asked = asked_on(on, "a")

    with on("b") as configuration:
        made = backups.execute(backup_id=asked)

        assert (made.status, made.error_code, made.host) == ("failed", "store_missing", "host-b")
        assert list(configuration.backup_dir.iterdir()) == []
    assert local_db["activities"].count_documents({"_id": "still here"}) == 1


def test_the_doctor_names_settings_that_another_host_has_otherwise(on: Host) -> None:
    with on("a") as configuration, override_settings(SECRET_KEY="another-" * 8, TIME_ZONE="Europe/Berlin"):
        schedule_tick.tick(configuration=configuration, now=timezone.now())
    with on("b") as configuration:
        (finding,) = site_looks.other_hosts(configuration)
        assert (finding.level, finding.subject) == ("problem", "settings_differ")
        assert "host-a" in finding.sentence and finding.sentence.endswith("SECRET_KEY, TIME_ZONE.")
        assert finding in doctor.examine(configuration=configuration)
        assert "another-" not in json.dumps(WorkerTick.objects.get().alike)

        WorkerTick.objects.update(at=timezone.now() - timedelta(hours=1))
        assert list(site_looks.other_hosts(configuration)) == []


def test_hosts_with_the_same_settings_are_named_by_nobody(on: Host) -> None:
    with on("a") as configuration:
        schedule_tick.tick(configuration=configuration, now=timezone.now())
        assert list(site_looks.other_hosts(configuration)) == []
    with on("b") as configuration:
        assert list(site_looks.other_hosts(configuration)) == []


def test_each_door_of_another_host_says_where_the_backup_is(on: Host, local_db: Db, super_admin: User) -> None:
    made = backup_on(on, "a")
    backup_on(on, "b")
    before = runs.collection(local_db).find_one({"_id": made})

    with on("b") as configuration:
        (run,) = [one for one in listing.list_runs(configuration=configuration, every=True) if one.id == made]
        assert (run.files, run.published, run.host) == ("elsewhere", False, "host-a")
        assert "lies on host host-a, not on this one" in run.message
        named = lost_backups.named(BackupElsewhere(host="?"), configuration=configuration, backup_id=made)
        assert named.detail == BackupElsewhere(host="host-a").detail
        browser = signed_in(super_admin)
        shown = browser.get(f"/admin/backups/runs/{made}/").content.decode()
        assert "host-a" in shown and "are gone" not in shown
        for page in (f"browse/?backup={made}", f"{made}/restore/"):
            assert browser.get(f"/admin/backups/{page}").status_code == 409
        assert "host-a" in browser.get("/admin/backups/list/").content.decode()
        for command in (["backup_verify", made], ["backup_docs", made], ["backup_restore", made, "--dry-run"]):
            with pytest.raises(SystemExit) as ended:
                call_command(*command, "--json")
            assert ended.value.code == 10
        housekeeping.tick(configuration=configuration, now=timezone.now())

    assert runs.collection(local_db).find_one({"_id": made}) == before


def test_a_backup_counts_on_another_host_as_long_as_its_worker_confirms_it(on: Host) -> None:
    made = backup_on(on, "a")
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)

    level, sentence = sentence_on(on, "b")
    assert level is Level.NOT_PROTECTED and "no worker on host-a has confirmed the backup of" in sentence

    work_on(on, "a")
    with on("b") as configuration:
        found = status.status(configuration=configuration, now=timezone.now())
    assert found.last_backup is not None and found.last_backup.id == made
    assert found.verdict is not Level.NOT_PROTECTED and found.assurance.attention == ()

    StoreReport.objects.update(at=timezone.now() - other_stores.TRUSTED_FOR - timedelta(seconds=1))
    level, sentence = sentence_on(on, "b")
    assert level is Level.NOT_PROTECTED and "host-a" in sentence and "no backup yet" not in sentence

    StoreReport.objects.update(at=timezone.now() + timedelta(days=365))
    level, sentence = sentence_on(on, "b")
    assert level is Level.NOT_PROTECTED and "host-a" in sentence, "its clock was ahead; nobody knows when it looked"


def test_what_its_own_host_found_damaged_or_gone_counts_nowhere(on: Host) -> None:
    made = backup_on(on, "a")
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)
    work_on(on, "a")
    assert sentence_on(on, "b")[0] is not Level.NOT_PROTECTED

    with on("a") as configuration:
        shutil.rmtree(configuration.backup_dir / f"backup_{made}")
    work_on(on, "a")

    assert sentence_on(on, "a")[0] is Level.NOT_PROTECTED
    assert sentence_on(on, "b")[0] is Level.NOT_PROTECTED


def test_a_newer_backup_elsewhere_that_nobody_confirms_needs_attention(on: Host) -> None:
    backup_on(on, "a")
    newest = backup_on(on, "b")

    with on("a") as configuration:
        found = status.status(configuration=configuration, now=timezone.now())

    assert [(one.message.code, one.backup_id) for one in found.assurance.attention] == [
        ("newest_not_confirmed", newest)
    ]


def test_retention_of_one_host_leaves_the_other_ones_backups_and_records(on: Host, local_db: Db) -> None:
    old = [backup_on(on, "a"), backup_on(on, "a")]
    for _ in range(3):
        backup_on(on, "b")
    keep_one()

    with on("b", min_keep=1) as configuration:
        done = prune.prune(configuration=configuration, requested_by="ravi", origin=Origin.COMMAND, now=timezone.now())
        assert done.decision is not None and len(done.decision.removed) == 2
        work_on(on, "b")

    with on("a") as configuration:
        here = {run.id for run in listing.list_runs(configuration=configuration)}
    assert set(old) <= here
    records = [runs.get(local_db, backup_id=one) for one in old]
    assert all(record is not None and not record.removed for record in records)


def test_what_another_hosts_run_deleted_is_left_out_of_a_restore(on: Host, local_db: Db) -> None:
    backup_on(on, "a")
    kept = backup_on(on, "b")
    purged = backup_on(on, "a", delete_bookings=True)
    newer = backup_on(on, "b")

    with on("b") as configuration:
        left_out = emptied.on_purpose(configuration=configuration, backup_id=kept)
        chosen = restores.choose(configuration=configuration, backup_id=kept)
        preview = restores.preview_restore(configuration=configuration, choices=chosen)

        assert left_out == {"bookings": purged, "employee_bookings": purged}
        assert preview.total("insert") == 0
        assert emptied.on_purpose(configuration=configuration, backup_id=newer) == {}


def test_what_a_run_deleted_is_left_out_though_its_backup_is_removed(on: Host) -> None:
    kept = backup_on(on, "a")
    purged = backup_on(on, "a", delete_bookings=True)

    with on("a") as configuration:
        shutil.rmtree(configuration.backup_dir / f"backup_{purged}")

        assert emptied.on_purpose(configuration=configuration, backup_id=kept)["bookings"] == purged


@pytest.fixture
def nas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[TargetSettings, ...]:
    """A target that both hosts mount."""
    (tmp_path / "nas").mkdir()
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: True)
    return (TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas")),)


def test_a_host_removes_no_copy_of_what_another_one_has(on: Host, nas: tuple[TargetSettings, ...]) -> None:
    made = [backup_on(on, "a") for _ in range(3)]
    with on("a", targets=nas) as configuration:
        call_command("backup_copies", "init", "nas")
        assert work.copy_what_is_lacking(configuration=configuration) == 3
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)
    keep_one()

    with on("b", targets=nas, min_keep=1) as configuration:
        upkeep.clear(configuration=configuration, now=timezone.now() + timedelta(days=40))

    states = dict(BackupCopy.objects.values_list("backup_id", "state"))
    assert states == dict.fromkeys(made, State.COMPLETE)


def test_documents_that_only_another_host_holds_and_no_target_has_are_counted(
    on: Host, nas: tuple[TargetSettings, ...]
) -> None:
    backup_on(on, "a", delete_bookings=True)
    with on("a", targets=nas):
        call_command("backup_copies", "init", "nas")
    backup_on(on, "b")

    for host in "ab":
        with on(host, targets=nas) as configuration:
            found = status.status(configuration=configuration, now=timezone.now())
            assert found.assurance.loss.documents, host
            sentences = [str(message) for message in found.assurance.loss.messages]
            assert any("the disk of one host: host-a." in one for one in sentences) == (host == "b"), sentences
            assert any("only this disk holds" in one for one in sentences) == (host == "a"), sentences


def test_a_copy_is_fetched_by_any_host_and_both_have_it_then(on: Host, nas: tuple[TargetSettings, ...]) -> None:
    made = backup_on(on, "a")
    with on("a", targets=nas) as configuration:
        call_command("backup_copies", "init", "nas")
        work.copy_what_is_lacking(configuration=configuration)
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)

    with on("b", targets=nas) as configuration:
        call_command("backup_fetch", made, "--from", "nas", "--json")

    for host in "ab":
        with on(host) as configuration:
            (run,) = listing.list_runs(configuration=configuration)
            assert (run.id, run.files, run.verified) == (made, "here", True), host


class Queue:
    """Stands for a task: what was put into its queue."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def enqueue(self, *, backup_id: str) -> None:
        self.jobs.append(backup_id)


def started_restore(on: Host, made: str) -> RunRecord:
    with on("a") as configuration:
        choices = restores.choose(configuration=configuration, backup_id=made)
        preview = restores.preview_restore(configuration=configuration, choices=choices)
        return restores.start(
            choices=choices, confirmation=preview.confirmation, created_by="ravi", origin=Origin.WEB,
            now=timezone.now(),
        )  # fmt: skip


def test_a_restore_is_left_to_the_worker_that_has_its_backup(on: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "PAUSE_SECONDS", 0)
    made = backup_on(on, "a")
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)
    run, queue = started_restore(on, made), Queue()

    with on("b"):
        assert placement.handed_on(queue, backup_id=run.id)
    assert queue.jobs == [run.id]
    with on("a"):
        assert not placement.handed_on(queue, backup_id=run.id)
        assert backups.execute(backup_id=run.id).status == "success"
        assert not placement.handed_on(queue, backup_id=run.id)
    with on("b"):
        assert not placement.handed_on(queue, backup_id=run.id)
    assert queue.jobs == [run.id]


def test_any_worker_may_take_a_backup(on: Host) -> None:
    backup_on(on, "a")
    with on("a"):
        started = backups.start_backup(
            created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
        )
    with on("b") as configuration:
        doctor.adopt_store(configuration=configuration)
        assert not placement.handed_on(Queue(), backup_id=started.id)
