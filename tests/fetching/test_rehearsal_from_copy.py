"""A restore test from a copy: fetched, opened, restored into a scratch database, compared; nothing of it stays."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    CopyNotEncrypted,
    CopyNotFound,
    CopyNotKnown,
    KeyMissing,
    KeyNotReadable,
    TargetNotFound,
    TempleOpsError,
    WrongKey,
)
from backups_app.models import Schedule, User
from backups_app.mongo import scratch
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.runs.copies import copy_source
from backups_app.storage import copy_reading, encryption, key_proofs
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import copy_rehearsals
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from backups_app.use_cases.schedules import changes
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import ScheduleWish
from backups_app.use_cases.status import restore_tests
from tests.fetching.conftest import KEY, identities
from tests.fetching.test_commands import command
from tests.journeys.conftest import run_backup, seeded  # noqa: F401  (a fixture)
from tests.pages.conftest import signed_in
from tests.storage import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(seeded: Configuration, tmp_path: Path) -> DirectoryTarget:  # noqa: F811
    """One backup, here and encrypted at the target `nas`."""
    found = making.directory_target(tmp_path / "nas", database=seeded.database_name)
    made = run_backup(delete_bookings=False)["backup_id"]
    making.copy_folder(found, seeded.backup_dir / f"backup_{made}", recipients=[KEY.public])
    return found


@pytest.fixture
def temple(seeded: Configuration, target: DirectoryTarget, tmp_path: Path) -> Iterator[Configuration]:  # noqa: F811
    """The settings with the target and a private key on this machine."""
    key_file = tmp_path / "key.txt"
    key_file.write_text(KEY.private)
    settings = (TargetSettings(name="nas", kind="file", place=str(target.root)),)
    found = replace(seeded, targets=settings, copy_recipients=(KEY.public,), copy_identity_file=key_file)
    with override_settings(TEMPLEOPS=found):
        yield found


OTHERS = "20991231_010203"


def rehearse(backup_id: str | None = None) -> RunRecord:
    run = copy_rehearsals.start(
        target="nas", backup_id=backup_id, created_by="ananya", origin=Origin.COMMAND, now=timezone.now(), enqueue=False
    )
    return backups.execute(backup_id=run.id)


def nothing_is_left(configuration: Configuration) -> None:
    database = preparation.local_database(configuration)
    assert scratch.listing(database.client, temple=database.name) == ()
    assert preparation.store(configuration).partials() == ()
    assert not list(configuration.backup_dir.glob(".trash-partial*"))


def test_a_copy_is_fetched_restored_compared_and_removed(temple: Configuration) -> None:
    run = rehearse()

    assert run.status == "success", run.error_message
    assert [(step.name, step.state) for step in run.steps] == [("fetch_copy", "done"), ("rehearse", "done")]
    assert run.restore.copy_at == "nas"
    assert run.restore.sums["proven"] > 100
    nothing_is_left(temple)


def test_the_evidence_knows_that_the_copy_was_proven_and_the_key_is_trusted(temple: Configuration) -> None:
    rehearse()

    proven = restore_tests.rehearsal(listing.list_runs(configuration=temple, every=True), database=temple.database_name)

    assert proven is not None and proven.target == "nas"
    assert key_proofs.opened_at([KEY.public]) is not None


def test_a_damaged_copy_fails_by_name_and_nothing_is_left(temple: Configuration, target: DirectoryTarget) -> None:
    (found,) = copy_reading.find(target)
    assert found.manifest is not None
    largest = max(found.manifest.objects, key=lambda one: one.size_bytes)
    path = target.root / largest.name
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)

    run = rehearse()

    assert (run.status, run.error_code) == ("failed", "copy_damaged")
    nothing_is_left(temple)


def test_without_a_key_it_is_refused_before_it_begins(temple: Configuration) -> None:
    with override_settings(TEMPLEOPS=replace(temple, copy_identity_file=None)), pytest.raises(KeyMissing):
        rehearse()
    with (
        override_settings(TEMPLEOPS=replace(temple, copy_identity_file=Path("nowhere"))),
        pytest.raises(KeyNotReadable),
    ):
        rehearse()
    with copy_source.using(identities(encryption.new_key_pair())), pytest.raises(WrongKey):
        rehearse()
    with override_settings(TEMPLEOPS=replace(temple, targets=())), pytest.raises(TargetNotFound):
        rehearse()
    with pytest.raises(CopyNotFound):
        rehearse("20200101_000000")

    assert [run for run in listing.list_runs(configuration=temple, every=True) if run.is_restore] == []


def test_a_person_with_the_key_tests_it_by_hand(temple: Configuration, tmp_path: Path) -> None:
    with override_settings(TEMPLEOPS=replace(temple, copy_identity_file=None)):
        refused, *_ = command("backup_rehearse", "--from", "nas")
        code, out, _ = command("backup_rehearse", "--from", "nas", "--identity", str(tmp_path / "key.txt"))

    assert (refused, code) == (14, 0)
    assert out.startswith("Restore test completed: 119 added") and "fetch_copy" not in out
    nothing_is_left(temple)


def test_the_private_key_is_in_no_record(temple: Configuration) -> None:
    run = rehearse()

    assert KEY.private not in str(run)
    assert str(temple.copy_identity_file) not in str(run)


def test_pages_offer_it_only_where_a_worker_has_the_key(temple: Configuration) -> None:
    away = replace(temple, copy_identity_file=None)

    assert copy_rehearsals.offered(temple) == ("nas",)
    assert copy_rehearsals.offered(away) == ()
    assert copy_rehearsals.needs_key_by_hand(away) and not copy_rehearsals.needs_key_by_hand(temple)


WISH = ScheduleWish(name="yearly", do="rehearse", cron="0 4 1 1 *", target="nas")


def who() -> Who:
    return Who(by="ananya", origin=Origin.COMMAND, now=timezone.now())


def test_a_schedule_begins_from_the_copy(temple: Configuration) -> None:
    changes.add(WISH, who=who())

    slot = changes.run_now("yearly", who=who())

    run = backups.execute(backup_id=slot.run)
    assert (run.status, run.restore.copy_at) == ("success", "nas")


def test_a_schedule_from_an_encrypted_copy_is_refused_without_the_key(temple: Configuration) -> None:
    with override_settings(TEMPLEOPS=replace(temple, copy_identity_file=None)), pytest.raises(KeyMissing):
        changes.add(WISH, who=who())
    with override_settings(TEMPLEOPS=replace(temple, copy_identity_file=Path("no"))), pytest.raises(KeyNotReadable):
        changes.add(WISH, who=who())
    with pytest.raises(TargetNotFound):
        changes.add(replace(WISH, target="other"), who=who())
    unencrypted = replace(temple, copy_identity_file=None, copy_recipients=())
    with override_settings(TEMPLEOPS=unencrypted):
        changes.add(replace(WISH, name="unencrypted"), who=who())

    assert list(Schedule.objects.values_list("name", flat=True)) == ["unencrypted"]


def test_only_a_restore_test_has_a_target(temple: Configuration) -> None:
    planned = changes.add(replace(WISH, do="backup"), who=who())

    assert planned.row.target == ""


def test_the_command_names_the_target(temple: Configuration) -> None:
    arguments = ("--name", "yearly", "--do", "rehearse", "--cron", "0 4 1 1 *", "--from", "nas", "--json")

    code, out, _ = command("backup_schedule", "add", *arguments)

    assert (code, json.loads(out)["target"]) == (0, "nas")


def test_the_page_offers_the_targets_and_says_at_the_field_that_the_key_is_away(
    temple: Configuration, super_admin: User
) -> None:
    client = signed_in(super_admin)
    shown = client.get(reverse("pages:schedule_new")).content.decode()
    with override_settings(TEMPLEOPS=replace(temple, copy_identity_file=None)):
        fields = {"name": "yearly", "do": "rehearse", "every": "custom", "cron": "0 4 1 1 *", "target": "nas"}
        refused = client.post(reverse("pages:schedule_new"), fields).content.decode()

    assert '<option value="nas">nas</option>' in shown
    assert "no private key was given" in refused and 'id="target-problem"' in refused


def test_the_page_of_restores_tests_a_copy_or_says_how(temple: Configuration, super_admin: User) -> None:
    client = signed_in(super_admin)
    offered = client.get(reverse("pages:restores")).content.decode()
    with override_settings(TEMPLEOPS=replace(temple, copy_identity_file=None)):
        by_hand = client.get(reverse("pages:restores")).content.decode()
    started = client.post(reverse("pages:rehearse"), {"target": "nas"})

    assert "Test the copy at nas" in offered
    assert "backup_rehearse --from NAME --identity FILE" in by_hand
    assert started.status_code == 303
    (run,) = [one for one in listing.list_runs(configuration=temple, every=True) if one.is_restore]
    assert run.restore.copy_at == "nas"


def put_there(temple: Configuration, target: DirectoryTarget, folder: Path, recipients: Sequence[str]) -> str:
    """Copy the backup there as one of another id, which is newer, and is not here."""
    (made,) = temple.backup_dir.glob("backup_*")
    written = json.loads((made / "metadata.json").read_text()) | {"backup_id": OTHERS}
    shutil.copytree(made, folder / f"backup_{OTHERS}")
    (folder / f"backup_{OTHERS}" / "metadata.json").write_text(json.dumps(written))
    return making.copy_folder(target, folder / f"backup_{OTHERS}", recipients=recipients)


@pytest.mark.parametrize(("recipients", "refused"), [((), CopyNotEncrypted), ((KEY.public,), CopyNotKnown)])
def test_a_newer_copy_of_somebody_else_proves_nothing_and_ours_is_tested(
    temple: Configuration,
    target: DirectoryTarget,
    tmp_path: Path,
    recipients: Sequence[str],
    refused: type[TempleOpsError],
) -> None:
    (ours,) = [one.backup_id for one in copy_reading.find(target)]
    put_there(temple, target, tmp_path / "other", recipients)

    with pytest.raises(refused):
        rehearse(OTHERS)
    run = rehearse()

    assert (run.status, run.restore.choices["backup_id"]) == ("success", ours)


def test_without_a_copy_of_ours_no_restore_test_begins(
    temple: Configuration, target: DirectoryTarget, tmp_path: Path
) -> None:
    (ours,) = copy_reading.find(target)
    (target.root / ours.object_name).unlink()
    put_there(temple, target, tmp_path / "other", (KEY.public,))

    with pytest.raises(CopyNotKnown):
        rehearse()

    assert (
        restore_tests.rehearsal(listing.list_runs(configuration=temple, every=True), database=temple.database_name)
        is None
    )


def test_a_copy_that_was_exchanged_after_the_test_was_asked_for_is_refused(
    temple: Configuration, target: DirectoryTarget, tmp_path: Path
) -> None:
    """Between the request and the worker somebody may write another manifest under its name."""
    (ours,) = copy_reading.find(target)
    run = copy_rehearsals.start(
        target="nas", created_by="ananya", origin=Origin.COMMAND, now=timezone.now(), enqueue=False
    )
    (made,) = temple.backup_dir.glob("backup_*")
    name = making.copy_folder(target, made)
    os.replace(target.root / name, target.root / ours.object_name)

    ended = backups.execute(backup_id=run.id)

    assert (ended.status, ended.error_code) == ("failed", "copy_not_encrypted")
