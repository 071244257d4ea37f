"""Removing one copy at a target leaves every other one whole: what it consists of, and the base that it begins from."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from backups_app.errors import BackupHeld, BackupNeeded, CopyMayBeOnly, CopyNotFound, ObjectsMayBelong
from backups_app.models import AuditEvent, BackupCopy, User
from backups_app.retention.policy import Policy
from backups_app.storage import copy_manifest, copy_reading
from backups_app.storage.copy_rows import State
from backups_app.use_cases.copies import removing, unknown, upkeep
from backups_app.use_cases.copies.acts import REMOVED
from backups_app.use_cases.copies.removing import Removed
from tests.pages.conftest import signed_in
from tests.storage import making
from tests.use_cases.test_copies import Copied, copied, temple  # noqa: F401  (fixtures)


def forget_its_end(copied: Copied, backup_id: str) -> None:  # noqa: F811
    """Put the row back to the moment before its manifest was written, as a restored Django database does."""
    row = copied.row(backup_id)
    BackupCopy.objects.filter(pk=row.pk).update(
        state=State.FAILED, manifest="", copied_at=None, next_attempt_at=None,
        written=[one for one in row.written if one["path"]],
    )  # fmt: skip


def second_manifest(copied: Copied, backup_id: str, *, of: str = "") -> str:  # noqa: F811
    """Put a manifest there that names the objects of the copy `of`, by default of the same backup."""
    data = (copied.target.root / copied.row(of or backup_id).manifest).read_bytes()
    name = copy_manifest.new_manifest_name(backup_id)
    copied.target.put(name, [data.replace((of or backup_id).encode(), backup_id.encode())])
    return name


def lose(copied: Copied, backup_id: str) -> None:  # noqa: F811
    """Lose the backup on this computer, folder and record."""
    shutil.rmtree(copied.temple.store.folder(backup_id))
    copied.temple.database["backup_metadata"].delete_one({"_id": backup_id})


def unknown_name(copied: Copied) -> str:  # noqa: F811
    (found,) = unknown.unknown_at(configuration=copied.configuration, target="nas", now=datetime.now(UTC)).copies
    return found.name


def remove(copied: Copied, backup_id: str, *, copy: str = "") -> Removed:  # noqa: F811
    return removing.remove(copied.asked, backup_id=backup_id, target="nas", typed=backup_id, copy=copy)


def whole(copied: Copied) -> set[str]:  # noqa: F811
    return {one.backup_id for one in copy_reading.find(copied.target) if one.problem is None}


def incremental_there(copied: Copied, base: str) -> str:  # noqa: F811
    """Put the copy of an incremental there that another installation made; nothing of it is here."""
    backup_id = copied.temple.add(days=299)
    path = copied.temple.store.folder(backup_id) / "metadata.json"
    written = json.loads(path.read_text())
    written["manifest"]["base"] = base
    path.write_text(json.dumps(written))
    making.copy_folder(copied.target, copied.temple.store.folder(backup_id), base=base)
    lose(copied, backup_id)
    return backup_id


class TestObjectsOfOthers:
    def test_a_second_manifest_of_a_known_copy_goes_and_its_objects_stay(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        newest = copied.temple.newest_real()
        second = second_manifest(copied, newest)
        objects = len(copied.row(newest).written) - 1

        left = remove(copied, newest, copy=second)

        assert whole(copied) == {newest}
        assert copied.evidence().newest_is_copied
        assert left.kept == f"{objects} objects at nas stay: other copies there consist of them."
        assert second not in {head.name for head in copied.target.list_objects()}
        event = AuditEvent.objects.get(action=REMOVED, target=newest, result="done")
        assert event.details["kept_objects"] == objects

    def test_of_a_holder_whose_row_was_restored_from_before_its_end(self, copied: Copied) -> None:  # noqa: F811
        holder = copied.temple.add(days=5, holds_alone={"bookings": 7})
        copied.copy()
        forget_its_end(copied, holder)
        copied.copy()
        lose(copied, holder)

        remove(copied, holder, copy=unknown_name(copied))

        assert holder in whole(copied)
        with pytest.raises(BackupHeld):
            remove(copied, holder)

    def test_a_manifest_that_names_objects_of_another_backup(self, copied: Copied) -> None:  # noqa: F811
        other = copied.temple.add(days=3)
        copied.copy()
        newest = copied.temple.newest_real()
        second_manifest(copied, other, of=newest)

        left = remove(copied, other)

        assert whole(copied) == {newest}
        assert left.kept is not None

    def test_beside_a_manifest_that_cannot_be_read(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        newest = copied.temple.newest_real()
        name = copy_manifest.new_manifest_name("20250119_143022")
        copied.target.put(name, [b'{"format": "a later one"}'])

        with pytest.raises(ObjectsMayBelong):
            remove(copied, newest)

        assert whole(copied) == {newest}
        with pytest.raises(CopyMayBeOnly):
            remove(copied, "20250119_143022", copy=name)

    @pytest.mark.parametrize("has_a_copy", [True, False])
    def test_a_copy_of_the_same_id_that_another_temple_made(self, copied: Copied, has_a_copy: bool) -> None:  # noqa: F811
        other = copied.temple.add(days=3)
        copied.copy()
        if not has_a_copy:
            remove(copied, other)
        making.copy_folder(copied.target, copied.temple.store.folder(other))
        theirs = unknown_name(copied)

        if has_a_copy:
            remove(copied, other)
        else:
            with pytest.raises(CopyNotFound):
                remove(copied, other)

        assert unknown_name(copied) == theirs
        assert other in whole(copied)

    def test_what_an_attempt_left_stays_where_an_unknown_copy_names_it(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        newest = copied.temple.newest_real()
        second = second_manifest(copied, newest)
        row = copied.row(newest)
        names = [one["name"] for one in row.written if one["path"]]
        row.written = [one | {"proven": False} if one["name"] == names[0] else one for one in row.written]
        row.save()

        copied.clear(days=2)

        found = {one.object_name: one.problem for one in copy_reading.find(copied.target)}
        assert found[second] is None
        assert names[0] not in {one["name"] for one in copied.row(newest).written}


class TestGuardsOfAnUnknownCopy:
    def test_the_only_copy_of_a_backup_that_nobody_knows_stays(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        lost = copied.temple.add(days=3)
        making.copy_folder(copied.target, copied.temple.store.folder(lost))
        lose(copied, lost)

        for copy in (unknown_name(copied), ""):
            with pytest.raises(CopyMayBeOnly) as refused:
                remove(copied, lost, copy=copy)

        assert f"backup_fetch {lost} --from nas" in str(refused.value.hint)
        assert lost in whole(copied)

    def test_a_known_copy_that_is_damaged_there_does_not_stand_for_it(self, copied: Copied) -> None:  # noqa: F811
        old = copied.temple.add(days=3, holds_alone={"bookings": 7})
        copied.copy()
        making.copy_folder(copied.target, copied.temple.store.folder(old))
        lose(copied, old)
        copied.target.delete(copied.row(old).written[0]["name"])

        with pytest.raises(BackupHeld):
            remove(copied, old, copy=unknown_name(copied))

        assert old in whole(copied)

    def test_a_failed_row_does_not_open_the_way(self, copied: Copied) -> None:  # noqa: F811
        holder = copied.temple.add(days=5, holds_alone={"bookings": 7})
        copied.copy()
        forget_its_end(copied, holder)
        lose(copied, holder)

        for copy in ("", unknown_name(copied)):
            with pytest.raises(BackupHeld):
                remove(copied, holder, copy=copy)

        assert holder in whole(copied)

    def test_the_base_of_an_incremental(self, copied: Copied) -> None:  # noqa: F811
        base = copied.temple.add(days=300)
        making.copy_folder(copied.target, copied.temple.store.folder(base))
        name = unknown_name(copied)
        incremental_there(copied, base)

        with pytest.raises(BackupNeeded):
            remove(copied, base, copy=name)

        assert base in whole(copied)

    def test_the_page_gives_the_reason_before_it_asks(self, copied: Copied) -> None:  # noqa: F811
        outlook = removing.outlook(
            configuration=copied.configuration, backup_id="20250119_143022", target="nas", copy="copy-x"
        )

        assert [type(one) for one in outlook.refusals] == [CopyMayBeOnly]

    def test_the_page_shows_the_reason_and_after_a_removal_what_stays(
        self,
        copied: Copied,  # noqa: F811
        super_admin: User,
    ) -> None:
        other = copied.temple.add(days=3)
        copied.copy()
        second_manifest(copied, other, of=copied.temple.newest_real())
        browser = signed_in(super_admin)

        asks = browser.get("/admin/backups/copies/nas/remove/20250119_143022/?copy=copy-x")
        done = browser.post(f"/admin/backups/copies/nas/remove/{other}/", {"confirm": other}, follow=True)
        copied.target.put(copy_manifest.new_manifest_name(other), [b"?"])
        newest = copied.temple.newest_real()
        refused = browser.post(f"/admin/backups/copies/nas/remove/{newest}/", {"confirm": newest})

        assert "This may be the only copy of this backup" in asks.content.decode()
        assert "objects at nas stay: other copies there consist of them." in done.content.decode()
        assert refused.status_code == 409
        assert "This copy stays" in refused.content.decode()

    def test_the_command_says_what_stays(self, copied: Copied, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
        other = copied.temple.add(days=3)
        copied.copy()
        second_manifest(copied, other, of=copied.temple.newest_real())

        call_command("backup_remove", other, "--from", "nas", "--confirm", other)

        assert "objects at nas stay: other copies there consist of them." in capsys.readouterr().out


class TestBasesAndTheRules:
    """The rules would remove the base at the target; an incremental whose backup is not here begins from it."""

    @pytest.fixture
    def base(self, copied: Copied) -> str:  # noqa: F811
        base = copied.temple.add(days=300)
        copied.copy()
        return base

    def rules_remove(self, copied: Copied, base: str) -> None:  # noqa: F811
        copied.temple.set_policy(Policy(last=1))
        lose(copied, base)
        copied.clear(days=2)

    def test_without_a_dependant_it_goes(self, copied: Copied, base: str) -> None:  # noqa: F811
        self.rules_remove(copied, base)

        assert base not in whole(copied)

    def test_of_an_unknown_copy(self, copied: Copied, base: str) -> None:  # noqa: F811
        incremental = incremental_there(copied, base)

        self.rules_remove(copied, base)

        assert {base, incremental} <= whole(copied)
        assert (copied.row(base).state, copied.row(base).error_code) == (State.COMPLETE, "")

    def test_of_a_copy_that_was_taken_in(self, copied: Copied, base: str) -> None:  # noqa: F811
        incremental = incremental_there(copied, base)
        unknown.take_in(copied.asked, target="nas", copy=unknown_name(copied), identities=())

        self.rules_remove(copied, base)

        assert copied.row(incremental).backup == {"base": base}
        assert {base, incremental} <= whole(copied)
        with pytest.raises(BackupNeeded):
            remove(copied, base)

    def test_of_a_copy_that_was_taken_in_before_rows_named_the_base(self, copied: Copied, base: str) -> None:  # noqa: F811
        incremental = incremental_there(copied, base)
        unknown.take_in(copied.asked, target="nas", copy=unknown_name(copied), identities=())
        BackupCopy.objects.filter(backup_id=incremental).update(backup={})

        self.rules_remove(copied, base)

        assert {base, incremental} <= whole(copied)

    def test_beside_a_manifest_that_cannot_be_read(self, copied: Copied, base: str) -> None:  # noqa: F811
        copied.target.put(copy_manifest.new_manifest_name("20250119_143022"), [b"?"])

        self.rules_remove(copied, base)

        assert base in whole(copied)
        assert copied.row(base).error_code == ObjectsMayBelong.code

    def test_both_go_at_once_where_no_rule_keeps_either(self, copied: Copied, base: str) -> None:  # noqa: F811
        later = copied.temple.add(days=200)
        copied.copy()
        row = copied.row(later)
        BackupCopy.objects.filter(pk=row.pk).update(backup={**row.backup, "base": base})
        lose(copied, later)

        self.rules_remove(copied, base)

        assert whole(copied) == {copied.temple.newest_real()}

    def test_the_base_of_one_that_was_taken_in_is_read_back(self, copied: Copied, base: str) -> None:  # noqa: F811
        row = copied.row(copied.temple.newest_real())
        now = copied.temple.now
        assert base not in upkeep._needed([row, copied.row(base)], now=now)
        row.backup = {"base": base}

        assert base in upkeep._needed([row, copied.row(base)], now=now)
