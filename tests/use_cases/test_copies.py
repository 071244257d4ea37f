"""Copies of a temple's backups, from the run to the sentence on the card, in one process: to a directory."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.assurance import marks
from backups_app.assurance.evidence import Copies, Evidence
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    BackupRemoved,
    CopiesWouldBeClear,
    CopyDamaged,
    CopyNotFound,
    ObjectMissing,
    RemovalNotConfirmed,
    RunCancelled,
    TargetDenied,
    TargetMissing,
    TargetNotFound,
    TargetUnreachable,
)
from backups_app.models import AuditEvent, BackupCopy
from backups_app.progress import Silent
from backups_app.records import Origin
from backups_app.retention.policy import Policy
from backups_app.runs import ownership
from backups_app.storage import copy_reading, encryption, key_proofs, targets
from backups_app.storage.copy_rows import Claim, State
from backups_app.storage.directory import NEW, DirectoryTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.backups import backups
from backups_app.use_cases.copies import acts, evidence, looking, overview, removing, upkeep, work
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.listing import listing, lost_backups
from backups_app.use_cases.retention import facts
from tests.retention import conftest as retention
from tests.retention.conftest import Temple

temple = retention.temple
KEYS = encryption.new_key_pair()


@dataclasses.dataclass
class Copied:
    """A temple with one target, and what a test does with it."""

    temple: Temple
    configuration: Configuration
    target: DirectoryTarget

    @property
    def asked(self) -> CopyRequest:
        now = datetime.now(UTC)
        return CopyRequest(configuration=self.configuration, requested_by="ravi", origin=Origin.COMMAND, now=now)

    def copy(self) -> int:
        return work.copy_what_is_lacking(configuration=self.configuration)

    def there(self) -> list[str]:
        return [one.backup_id for one in copy_reading.find(self.target) if one.problem is None]

    def row(self, backup_id: str) -> BackupCopy:
        return BackupCopy.objects.get(backup_id=backup_id)

    def evidence(self) -> Copies:
        every = listing.list_runs(configuration=self.configuration)
        good = next((run for run in every if run.verified), None)
        found = evidence.copies(configuration=self.configuration, every=every, good=good)
        assert found is not None
        return found

    def clear(self, *, days: float = 0) -> None:
        upkeep.clear(configuration=self.configuration, now=datetime.now(UTC) + timedelta(days=days))


@pytest.fixture
def copied(temple: Temple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copied]:
    """The target counts as elsewhere, though it is on the same disk: where it is, is tested with the targets."""
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: True)
    with using(temple, tmp_path / "nas") as found:
        found.target.root.mkdir()
        found.target.prepare(database=temple.database.name)
        yield found


class using:  # noqa: N801
    """The temple with a target in force, with other settings beside it."""

    def __init__(self, temple: Temple, root: Path, **changes: object) -> None:
        settings = TargetSettings(name="nas", kind="file", place=str(root))
        configuration = dataclasses.replace(temple.configuration, targets=(settings,), **changes)  # type: ignore[arg-type]
        self._override = override_settings(TEMPLEOPS=configuration)
        target = DirectoryTarget(name="nas", root=root)
        self._found = Copied(temple=temple, configuration=configuration, target=target)

    def __enter__(self) -> Copied:
        self._override.enable()
        return self._found

    def __exit__(self, *_: object) -> None:
        self._override.disable()


def test_every_verified_backup_is_copied_the_holders_first(copied: Copied) -> None:
    temple = copied.temple
    old = temple.add(days=3)
    holder = temple.add(days=5, holds_alone={"bookings": 7})
    newest = temple.newest_real()
    order: list[str] = []
    send = work._send

    def noted(lane: work.CopyWork, claim: Claim) -> None:
        order.append(claim.row.backup_id)
        send(lane, claim)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_send", noted)
        assert copied.copy() == 3

    assert order == [holder, newest, old]
    assert sorted(copied.there()) == sorted(order)
    assert copied.copy() == 0
    assert not work.has_work(configuration=copied.configuration, now=datetime.now(UTC))


def test_the_evidence_says_what_only_this_disk_holds(copied: Copied) -> None:
    run = backups.start_backup(
        created_by="ananya", delete_bookings=True, origin=Origin.COMMAND, now=datetime.now(UTC), enqueue=False
    )
    backups.execute(backup_id=run.id)
    before = copied.evidence()

    copied.copy()
    after = copied.evidence()

    assert (before.newest_is_copied, before.uncopied_documents) == (False, 40)
    assert (after.newest_is_copied, after.uncopied_documents, after.target, after.opened) == (True, 0, "nas", True)
    newer = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=datetime.now(UTC), enqueue=False
    )
    backups.execute(backup_id=newer.id)
    made_at = next(one.created_at for one in listing.list_runs(configuration=copied.configuration) if one.id == run.id)
    assert [(one.newest_is_copied, one.since) for one in (before, after, copied.evidence())] == [
        (False, None), (True, made_at), (False, made_at),
    ]  # fmt: skip


def test_a_copy_on_this_computer_is_not_elsewhere(temple: Temple, tmp_path: Path) -> None:
    with using(temple, tmp_path / "nas") as copied:
        copied.target.root.mkdir()
        copied.target.prepare(database=temple.database.name)
        copied.copy()

        assert copied.there() == [temple.newest_real()]
        assert copied.evidence().only_on_this_computer
        assert not copied.evidence().newest_is_copied


def test_encrypted_copies_count_once_a_key_has_opened_one(copied: Copied) -> None:
    with using(copied.temple, copied.target.root, copy_recipients=(KEYS.public,)) as encrypted:
        encrypted.copy()
        before = encrypted.evidence()
        key_proofs.record(recipients=[KEYS.public], target="nas", backup_id="x", by="test", now=datetime.now(UTC))

        assert (before.newest_is_copied, before.opened) == (True, False)
        assert encrypted.evidence().opened


def test_after_a_change_of_keys_backups_are_copied_again_and_the_old_copies_go_when_the_new_key_is_proven(
    copied: Copied,
) -> None:
    copied.copy()
    newest = copied.temple.newest_real()
    with using(copied.temple, copied.target.root, copy_recipients=(KEYS.public,)) as encrypted:
        assert encrypted.copy() == 1
        encrypted.clear(days=2)
        assert encrypted.there() == [newest, newest]
        key_proofs.record(recipients=[KEYS.public], target="nas", backup_id=newest, by="test", now=datetime.now(UTC))

        encrypted.clear(days=2)

        assert encrypted.there() == [newest]
        assert encrypted.row(newest).recipients == KEYS.public


def test_what_a_killed_attempt_left_half_written_is_removed_a_day_later(copied: Copied) -> None:
    copied.copy()
    row = copied.row(copied.temple.newest_real())
    left = row.written[0] | {"name": "half-written", "proven": False}
    BackupCopy.objects.filter(pk=row.pk).update(written=[*row.written, left])
    half = copied.target.root / f"{NEW}half-written"
    half.write_bytes(b"half")

    copied.clear()
    before = half.exists()
    copied.clear(days=2)

    assert (before, half.exists()) == (True, False)
    assert copied.row(row.backup_id).written == row.written
    assert copied.there() == [row.backup_id]


def test_a_target_that_fails_is_tried_again_later_and_reported(temple: Temple, tmp_path: Path) -> None:
    with using(temple, tmp_path / "never prepared") as copied:
        assert copied.copy() == 0

        row = copied.row(temple.newest_real())
        assert (row.state, row.error_code) == (State.FAILED, TargetMissing.code)
        assert row.next_attempt_at is not None
        (reported,) = overview.targets(configuration=copied.configuration)
        assert isinstance(reported.error, TargetMissing)
        assert not work.has_work(configuration=copied.configuration, now=datetime.now(UTC))


def test_a_damaged_copy_is_found_by_reading_it_back_and_made_again(copied: Copied) -> None:
    copied.copy()
    newest = copied.temple.newest_real()
    damaged = next(one for one in copied.row(newest).written if one["path"].endswith("bookings.bson"))
    path = copied.target.root / damaged["name"]
    path.write_bytes(b"?" + path.read_bytes()[1:])

    read = upkeep.read_back_what_is_due(configuration=copied.configuration, now=datetime.now(UTC) + timedelta(days=8))

    assert [(one.row.error_code, one.is_damaged, one.failure) for one in read] == [("copy_damaged", True, None)]
    assert not copied.evidence().newest_is_copied
    assert copied.copy() == 1
    assert copied.there() == [newest]
    assert copied.evidence().newest_is_copied


def test_reading_copies_back_says_that_it_goes_on_and_can_be_stopped(copied: Copied) -> None:
    class Stopped(Silent):
        looked = 0

        def checkpoint(self) -> None:
            self.looked += 1
            if self.looked > 1:
                raise RunCancelled

    copied.copy()
    progress = Stopped()
    with pytest.raises(RunCancelled):
        upkeep.read_back_what_is_due(
            configuration=copied.configuration, now=datetime.now(UTC), whatever_the_age=True, progress=progress
        )

    row = copied.row(copied.temple.newest_real())
    assert (row.state, row.unread_code, progress.looked) == (State.COMPLETE, "", 2)


def test_one_dated_in_the_future_is_not_the_newest_that_is_read_back(copied: Copied) -> None:
    ahead = copied.temple.add(days=-400)
    assert copied.copy() == 2

    read = upkeep.read_back_what_is_due(configuration=copied.configuration, now=datetime.now(UTC) + timedelta(days=30))

    assert [one.row.backup_id for one in read] == [copied.temple.newest_real()]
    assert ahead in copied.there()


def test_reading_back_waits_a_week(copied: Copied) -> None:
    copied.copy()
    now = datetime.now(UTC)

    assert upkeep.read_back_what_is_due(configuration=copied.configuration, now=now + timedelta(days=6)) == []
    assert len(upkeep.read_back_what_is_due(configuration=copied.configuration, now=now + timedelta(days=7))) == 1


def test_the_rules_remove_there_what_is_gone_here(copied: Copied) -> None:
    temple = copied.temple
    old = temple.add(days=30)
    copied.copy()
    temple.set_policy(Policy(last=1))

    copied.clear()
    assert old in copied.there()  # it is still here
    temple.prune()
    copied.clear()

    assert copied.there() == [temple.newest_real()]
    assert copied.row(old).state == State.REMOVED
    assert AuditEvent.objects.filter(action=acts.REMOVED, target=old, result="done").exists()


def test_a_holder_stays_there_whatever_the_rules_say(copied: Copied) -> None:
    temple = copied.temple
    holder = temple.add(days=30, holds_alone={"bookings": 7})
    copied.copy()
    temple.set_policy(Policy(last=1))
    temple.store.trash(holder, now=temple.now)

    copied.clear(days=400)

    assert holder in copied.there()


def test_without_the_right_to_delete_old_copies_stay_and_the_row_says_so(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    temple = copied.temple
    old = temple.add(days=30)
    copied.copy()
    temple.set_policy(Policy(last=1))
    temple.prune()

    def refuse(target: DirectoryTarget, name: str) -> None:
        raise TargetDenied(target=target.name)

    monkeypatch.setattr(DirectoryTarget, "delete", refuse)
    copied.clear()

    row = copied.row(old)
    assert (row.state, row.error_code) == (State.COMPLETE, TargetDenied.code)


def test_retention_keeps_a_holder_here_until_its_copy_counts(copied: Copied) -> None:
    temple = copied.temple
    holder = temple.add(days=30, holds_alone={"bookings": 7})

    assert not facts.read(configuration=copied.configuration).of(holder).copied
    copied.copy()

    assert facts.read(configuration=copied.configuration).of(holder).copied


def test_a_copy_is_removed_by_name_and_not_made_again(copied: Copied) -> None:
    copied.copy()
    newest = copied.temple.newest_real()

    with pytest.raises(RemovalNotConfirmed):
        removing.remove(copied.asked, backup_id=newest, target="nas", typed="")
    removing.remove(copied.asked, backup_id=newest, target="nas", typed=newest)

    assert list(copied.target.list_objects()) == []
    assert copied.copy() == 0
    with pytest.raises(CopyNotFound):
        removing.remove(copied.asked, backup_id=newest, target="nas", typed=newest)
    acts.copy_now(copied.asked, backup_id=newest)
    assert copied.there() == [newest]


def test_what_another_process_is_copying_is_left_to_it_and_the_rest_is_copied(copied: Copied) -> None:
    older, newest = copied.temple.add(days=3), copied.temple.newest_real()
    BackupCopy.objects.create(
        backup_id=newest,
        target="nas",
        state=State.COPYING,
        created_at=copied.temple.now,
        heartbeat_at=datetime.now(UTC),
        worker=ownership.this_process().as_document(),
    )
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("backup_copy", "--json", stdout=out, stderr=err)

    assert {one["backup_id"]: one["state"] for one in json.loads(out.getvalue())} == {
        newest: "copying",
        older: "complete",
    }
    assert ended.value.code == 3
    with pytest.raises(SystemExit):
        call_command("backup_copy", newest, stdout=out, stderr=err)
    assert "another process is copying it to nas now" in out.getvalue() + err.getvalue()


def test_a_backup_that_goes_meanwhile_does_not_keep_the_others_from_being_copied(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = copied.temple.newest_real()
    monkeypatch.setattr(work, "lacking", lambda lane, target: ["20010101_000000", newest])

    acts.copy_now(copied.asked)

    assert copied.there() == [newest]


def test_what_is_asked_for_is_due_at_once(copied: Copied) -> None:
    newest = copied.temple.newest_real()
    BackupCopy.objects.create(
        backup_id=newest,
        target="nas",
        state=State.FAILED,
        created_at=copied.temple.now,
        next_attempt_at=copied.temple.now + timedelta(hours=1),
    )
    assert copied.copy() == 0

    (soon,) = acts.copy_soon(copied.asked, backup_id=newest)

    assert soon.state == "copying"
    assert copied.copy() == 1
    with pytest.raises(TargetNotFound):
        acts.copy_soon(copied.asked, backup_id=newest, target="other")
    with pytest.raises(BackupNotFound):
        acts.copy_soon(copied.asked, backup_id="20010101_000000")


def test_a_target_is_tested_without_writing(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    assert acts.test(configuration=copied.configuration, target="nas") is None

    def away(target: DirectoryTarget) -> None:
        raise TargetUnreachable(target=target.name)

    monkeypatch.setattr(DirectoryTarget, "check", away)

    assert isinstance(acts.test(configuration=copied.configuration, target="nas"), TargetUnreachable)
    assert list(copied.target.list_objects()) == []


def test_a_target_that_somebody_emptied_is_found_empty_and_copied_to_again(copied: Copied) -> None:
    copied.copy()
    for head in list(copied.target.list_objects()):
        copied.target.delete(head.name)

    assert looking.is_due(configuration=copied.configuration, now=datetime.now(UTC) + timedelta(days=1))
    assert looking.compare(configuration=copied.configuration, target="nas", now=datetime.now(UTC)) is None

    row = copied.row(copied.temple.newest_real())
    assert (row.state, row.error_code) == (State.FAILED, ObjectMissing.code)
    assert not copied.evidence().newest_is_copied
    assert not looking.is_due(configuration=copied.configuration, now=datetime.now(UTC))
    assert copied.copy() == 1
    assert copied.evidence().newest_is_copied


def test_an_object_of_another_size_is_found_by_the_listing(copied: Copied) -> None:
    copied.copy()
    row = copied.row(copied.temple.newest_real())
    (copied.target.root / row.written[0]["name"]).write_bytes(b"?")

    assert acts.test(configuration=copied.configuration, target="nas") is None

    assert copied.row(row.backup_id).error_code == CopyDamaged.code


def test_a_directory_that_is_gone_holds_no_copy_that_counts(copied: Copied, tmp_path: Path) -> None:
    copied.copy()
    copied.target.root.rename(tmp_path / "elsewhere")
    gone = copied.evidence()
    (target,) = overview.targets(configuration=copied.configuration)
    (copy,) = overview.copies(configuration=copied.configuration)
    mark = marks.elsewhere(Evidence(now=datetime.now(UTC), copies=gone))

    assert (gone.newest_is_copied, gone.target, gone.since) == (False, "", None)
    assert mark.missing_code == "copies_away"
    assert 'The target "nas" is not there' in str(mark.message)
    assert isinstance(target.error, TargetMissing)
    assert copy.as_json()["error_code"] == TargetMissing.code
    assert not facts.read(configuration=copied.configuration).of(copy.backup_id).copied
    assert looking.is_due(configuration=copied.configuration, now=datetime.now(UTC))
    with pytest.raises(TargetMissing):
        acts.copy_now(copied.asked)
    assert not looking.is_due(configuration=copied.configuration, now=datetime.now(UTC))
    (tmp_path / "elsewhere").rename(copied.target.root)
    assert copied.evidence().newest_is_copied


def test_a_target_that_does_not_answer_is_trusted_for_a_day(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    copied.copy()
    now = datetime.now(UTC)

    def silent(target: DirectoryTarget) -> object:
        raise TargetUnreachable(target=target.name)

    with monkeypatch.context() as patch:
        patch.setattr(DirectoryTarget, "list_objects", silent)
        looking.compare(configuration=copied.configuration, target="nas", now=now)
        looking.compare(configuration=copied.configuration, target="nas", now=now + timedelta(hours=23))
    (target,) = overview.targets(configuration=copied.configuration)
    every = listing.list_runs(configuration=copied.configuration)

    def seen(after: timedelta) -> Copies:
        found = evidence.copies(configuration=copied.configuration, every=every, good=every[0], now=now + after)
        assert found is not None
        return found

    assert isinstance(target.error, TargetUnreachable)  # the page does not say "in order" meanwhile
    assert (seen(timedelta(hours=23)).newest_is_copied, seen(timedelta(hours=23)).away) == (True, None)
    after_a_day = seen(timedelta(hours=24))
    assert (after_a_day.newest_is_copied, after_a_day.away and after_a_day.away.since) == (False, now)
    assert looking.compare(configuration=copied.configuration, target="nas", now=now + timedelta(days=2)) is None
    assert copied.evidence().newest_is_copied


def test_a_base_is_read_back_with_the_newest_that_begins_from_it(copied: Copied) -> None:
    newest = copied.temple.newest_real()
    base = copied.temple.add(days=3)
    other = copied.temple.add(days=4)
    copied.copy()
    row = copied.row(newest)
    BackupCopy.objects.filter(pk=row.pk).update(backup={**row.backup, "base": base})

    read = upkeep.read_back_what_is_due(configuration=copied.configuration, now=datetime.now(UTC) + timedelta(days=8))

    assert {one.row.backup_id for one in read} == {newest, base}
    assert other not in {one.row.backup_id for one in read}


def test_nothing_goes_in_clear_to_where_encrypted_copies_lie(copied: Copied) -> None:
    newest = copied.temple.newest_real()
    with using(copied.temple, copied.target.root, copy_recipients=(KEYS.public,)) as encrypted:
        encrypted.copy()
    BackupCopy.objects.all().delete()  # the new machine after a fire knows nothing

    assert copied.copy() == 0
    row = copied.row(newest)
    assert (row.state, row.error_code) == (State.FAILED, CopiesWouldBeClear.code)
    assert len(copied.there()) == 1
    assert any(
        "BACKUP_COPY_RECIPIENTS is empty" in one.sentence for one in doctor.examine(configuration=copied.configuration)
    )
    (target,) = overview.targets(configuration=copied.configuration)
    assert isinstance(target.error, CopiesWouldBeClear)

    with using(copied.temple, copied.target.root, copies_in_clear=True) as meant:
        (copy,) = acts.copy_now(meant.asked, backup_id=newest)
    assert copy.is_complete


def test_removing_the_only_copy_of_deleted_documents_says_so(
    copied: Copied, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = copied.temple.add(days=5, holds_alone={"bookings": 1_562})
    copied.copy()

    assert removing.only_here(configuration=copied.configuration, backup_id=holder) is None
    call_command("backup_remove", holder, "--from", "nas", "--confirm", holder)

    out, err = capsys.readouterr()
    assert "Once this copy is gone: 1,562 deleted documents exist only on this disk." in err
    assert "From now on: 1,562 deleted documents exist only on this disk." in out
    assert f"backup_copy {holder} --to nas" in out
    found = removing.only_here(configuration=copied.configuration, backup_id=holder)
    assert found == "1,562 deleted documents exist only on this disk."
    acts.copy_now(copied.asked, backup_id=holder)
    assert removing.only_here(configuration=copied.configuration, backup_id=holder) is None


def test_retention_knows_a_copy_on_this_computer_as_one_that_does_not_count(temple: Temple, copied: Copied) -> None:
    newest = temple.newest_real()
    acts.copy_now(copied.asked, backup_id=newest)
    assert facts.read(configuration=copied.configuration).of(newest).copied

    BackupCopy.objects.update(elsewhere=False)
    found = facts.read(configuration=copied.configuration).of(newest)

    assert (found.copied, found.copied_here) == (False, True)


def test_retention_knows_a_copy_at_a_target_that_does_not_answer(temple: Temple, copied: Copied) -> None:
    newest = temple.newest_real()
    acts.copy_now(copied.asked, backup_id=newest)
    (target,) = copied.configuration.targets
    Path(target.place).rename(Path(target.place).with_name("unplugged"))

    found = facts.read(configuration=copied.configuration).of(newest)

    assert (found.copied, found.copied_here, found.copied_silent) == (False, False, True)


def test_a_backup_that_is_gone_names_the_target_that_has_a_copy(
    temple: Temple, copied: Copied, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = temple.newest_real()
    acts.copy_now(copied.asked, backup_id=newest)
    shutil.rmtree(temple.store.folder(newest))

    gone = lost_backups.named(BackupNotFound(), configuration=copied.configuration, backup_id=newest)
    call_command("backup_show", newest)
    shown = capsys.readouterr().out
    call_command("backup_show", newest, "--json")

    assert isinstance(gone, BackupRemoved)
    assert gone.as_json()["copies"] == ["nas"]
    assert gone.hint == f"A target has a copy: manage.py backup_fetch {newest} --from nas"
    assert f"manage.py backup_fetch {newest} --from nas" in shown
    assert _json(capsys)["copies_to_fetch"] == ["nas"]


class TestCommands:
    """`backup_copies init`, `backup_copy`, `backup_copies`, `backup_remove --from`."""

    def test_a_directory_whose_parent_is_not_there_is_to_be_made_first(
        self, temple: Temple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with using(temple, tmp_path / "not mounted" / "nas"), pytest.raises(SystemExit) as failed:
            call_command("backup_copies", "init", "nas", "--json")

        assert failed.value.code == 3
        refusal = _json(capsys)
        assert refusal["code"] == "target_missing"
        assert f"mkdir -p '{tmp_path}/not mounted/nas'" in refusal["hint"]

    def test_from_an_empty_directory_to_a_copy_and_back(
        self, temple: Temple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with using(temple, tmp_path / "nas") as copied:
            newest = temple.newest_real()
            with pytest.raises(SystemExit) as failed:
                call_command("backup_copy", "--json")
            assert failed.value.code == 3
            assert _json(capsys)[0]["error_code"] == "target_missing"

            (tmp_path / "nas").mkdir()
            call_command("backup_copies", "init", "nas", "--json")
            assert _json(capsys) == {"target": "nas", "prepared": True}
            call_command("backup_copy", "latest", "--to", "nas", "--json")
            (made,) = _json(capsys)
            assert {**made, "bytes": 0, "copied_at": "", "read_back_at": ""} == {
                "backup_id": newest, "target": "nas", "state": "complete", "bytes": 0, "copied_at": "",
                "read_back_at": "", "recipients": [], "error_code": None,
            }  # fmt: skip
            call_command("backup_copies", "--json")
            assert _json(capsys) == [made]
            call_command("backup_copies")
            assert newest in capsys.readouterr().out

            call_command("backup_remove", newest, "--from", "nas", "--confirm", newest, "--json")
            assert _json(capsys) == {"backup_id": newest, "target": "nas", "removed": True}
            assert copied.there() == []

    def test_a_target_that_nobody_named(self, copied: Copied, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as refused:
            call_command("backup_copy", "--to", "other", "--json")

        assert refused.value.code == 10
        assert _json(capsys)["code"] == "target_not_found"


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


OFFSITE = TargetSettings(name="offsite", kind="s3", place="bucket", options=(("endpoint", "https://s3.example.org"),))


def test_copies_of_a_target_that_moved_to_this_computer_do_not_count(
    temple: Temple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where another target, which has none, is elsewhere."""
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: True)
    holder = temple.add(days=5, holds_alone={"bookings": 7})
    with using(temple, tmp_path / "nas") as copied:
        copied.target.root.mkdir()
        copied.target.prepare(database=temple.database.name)
        copied.copy()
        assert copied.evidence().newest_is_copied
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: settings.name == "offsite")
    with using(temple, tmp_path / "nas") as moved:
        both = dataclasses.replace(moved.configuration, targets=(*moved.configuration.targets, OFFSITE))
        with override_settings(TEMPLEOPS=both):
            found = dataclasses.replace(moved, configuration=both).evidence()
            shown = overview.copies(configuration=both, backup_id=holder)
            kept = facts.read(configuration=both).of(holder)
            sentence = removing.only_here(configuration=both, backup_id=holder)

    assert (found.newest_is_copied, found.only_on_this_computer) == (False, False)
    assert [one.elsewhere for one in shown] == [False]
    assert not kept.copied
    assert sentence is not None
