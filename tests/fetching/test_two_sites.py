"""Two temples of one database name at one prefix: each copy says which site made it, and nobody takes one silently."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings

from backups_app.backup_files import metadata
from backups_app.configuration import Configuration
from backups_app.errors import (
    CopyOfAnotherSite,
    CopySiteUnknown,
    SeveralSites,
    SiteNotFound,
    TempleOpsError,
)
from backups_app.models import BackupCopy, SiteIdentity
from backups_app.runs import preparation
from backups_app.storage import copy_manifest, copy_reading, site_ids
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import copy_rehearsals, site_content
from backups_app.use_cases.copies import unknown, work
from backups_app.use_cases.fetching import rows
from tests.fetching.conftest import KEY, Burn, Copied, identities
from tests.fetching.test_commands import command
from tests.storage import making

pytestmark = pytest.mark.django_db
OURS, THEIRS = "0a" * 16, "9b" * 16
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@dataclass
class Shared:
    """`ours` and `theirs` are backups of two sites at one target, theirs the newer one. `older` names no site."""

    copied: Copied
    older: str
    ours: str
    theirs: str

    def errors(self, wanted: str, *, of_site: str = "") -> Mapping[str, TempleOpsError | None]:
        return {one.choice.backup_id: one.error for one in self.copied.fetch(wanted, of_site=of_site)}

    def be(self, site: str) -> None:
        SiteIdentity.objects.update_or_create(pk=SiteIdentity.ONLY, defaults={"site": site, "since": NOW})


def put_again(copied: Copied, backup_id: str, *, site_id: str, recipients: tuple[str, ...] = (KEY.public,)) -> None:
    """Let the copy of a backup say which site made it."""
    for path in list(copied.target.root.iterdir()):
        if copy_manifest.backup_id_of(path.name) == backup_id:
            path.unlink()
    folder = copied.burned / f"backup_{backup_id}"
    making.copy_folder(copied.target, folder, recipients=recipients, site_id=site_id)


@pytest.fixture
def shared(burn: Burn) -> Iterator[Shared]:
    copied = burn([True, False, False])
    older, ours, theirs = copied.made
    put_again(copied, ours, site_id=OURS)
    put_again(copied, theirs, site_id=THEIRS)
    settings = TargetSettings(name="nas", kind="file", place=str(copied.target.root))
    copied.configuration = replace(copied.configuration, targets=(settings,), copy_recipients=(KEY.public,))
    with override_settings(TEMPLEOPS=copied.configuration):
        yield Shared(copied=copied, older=older, ours=ours, theirs=theirs)


class TestOurs:
    def test_latest_passes_over_a_newer_backup_of_another_site_by_name(self, shared: Shared) -> None:
        shared.be(OURS)

        found = shared.errors("latest")

        assert isinstance(found[shared.theirs], CopyOfAnotherSite) and found[shared.ours] is None
        assert shared.copied.entries() == [f"backup_{shared.ours}"]

    def test_holders_of_another_site_are_not_fetched(self, shared: Shared) -> None:
        put_again(shared.copied, shared.older, site_id=THEIRS)
        shared.be(OURS)

        found = shared.errors("holders")

        assert isinstance(found[shared.older], CopyOfAnotherSite)
        assert shared.copied.entries() == []

    def test_one_that_names_no_site_is_not_taken_for_ours_beside_another_site(self, shared: Shared) -> None:
        shared.be(OURS)

        found = shared.errors("all")

        assert isinstance(found[shared.older], CopySiteUnknown)
        assert shared.errors(shared.older) == {shared.older: None}  # somebody who asks for it by its id means it

    def test_one_that_names_our_backup_folder_is_ours(self, shared: Shared) -> None:
        folder = shared.copied.burned / f"backup_{shared.older}"
        store = str((metadata.read(folder) or {})["store_id"])
        put_again(shared.copied, shared.ours, site_id=store)
        shared.be(store)

        assert shared.errors("all")[shared.older] is None

    def test_of_two_copies_of_one_backup_ours_is_fetched(self, shared: Shared) -> None:
        folder = shared.copied.burned / f"backup_{shared.ours}"
        making.copy_folder(shared.copied.target, folder, recipients=(KEY.public,), site_id=THEIRS)
        shared.be(OURS)

        (result,) = shared.copied.fetch(shared.ours)

        assert result.error is None
        assert result.choice.contents is not None and result.choice.contents.site_id == OURS

    def test_another_site_can_be_named_and_its_backup_is_copied_again_as_ours(self, shared: Shared) -> None:
        shared.be(OURS)

        assert shared.errors("latest", of_site=THEIRS[:8]) == {shared.theirs: None}

        assert site_ids.kept() == OURS
        assert not BackupCopy.objects.filter(backup_id=shared.theirs).exists()

    def test_a_listing_names_the_site_of_each_copy_and_which_is_not_ours(self, shared: Shared) -> None:
        shared.be(OURS)

        listed = {
            row.backup_id: row
            for row in rows.at_target(
                configuration=shared.copied.configuration, target=shared.copied.target, identities=identities(KEY)
            )
        }

        assert [listed[one].site_id for one in (shared.older, shared.ours, shared.theirs)] == ["", OURS, THEIRS]
        assert (listed[shared.ours].state, listed[shared.ours].error) == ("complete", None)
        assert listed[shared.theirs].state == listed[shared.older].state == "unknown"
        assert isinstance(listed[shared.theirs].error, CopyOfAnotherSite)
        assert isinstance(listed[shared.older].error, CopySiteUnknown)

    def test_no_restore_test_begins_from_the_copy_of_another_site(self, shared: Shared) -> None:
        shared.be(OURS)
        key = Path(key_file(shared))
        settings = override_settings(TEMPLEOPS=replace(shared.copied.configuration, copy_identity_file=key))
        with settings, pytest.raises(CopyOfAnotherSite):
            copy_rehearsals.find(target="nas", backup_id=shared.theirs, now=NOW)

    def test_it_is_not_taken_in_and_is_named_on_the_page(self, shared: Shared) -> None:
        shared.be(OURS)
        put_again(shared.copied, shared.theirs, site_id=THEIRS, recipients=())
        clear = replace(shared.copied.configuration, copies_in_clear=True, copy_recipients=())

        found = unknown.unknown_at(configuration=clear, target="nas", now=NOW)

        (theirs,) = (one for one in found.copies if one.backup_id == shared.theirs)
        assert theirs.error_code == "copy_of_another_site"
        code, out, _ = command("backup_copies", "--from", "nas", "--take-in", "--identity", key_file(shared), "--json")
        taken = {one["backup_id"]: one["error_code"] for one in json.loads(out)}
        assert (code, taken[shared.theirs], taken[shared.ours]) == (12, "copy_of_another_site", None)


def key_file(shared: Shared) -> str:
    path = shared.copied.burned / "key.txt"
    path.write_text(KEY.private)
    return str(path)


class TestOnAMachineWithNothing:
    @pytest.mark.parametrize("wanted", ["latest", "holders", "all"])
    def test_copies_of_two_sites_are_refused_and_both_are_named(self, shared: Shared, wanted: str) -> None:
        with pytest.raises(SeveralSites) as refused:
            shared.copied.fetch(wanted)

        sentence = refused.value.detail
        host = str((metadata.read(shared.copied.burned / f"backup_{shared.ours}") or {})["host"])
        assert f"{OURS[:8]} ({host}, {shared.ours}); {THEIRS[:8]} ({host}, {shared.theirs})" in sentence
        assert f"--of-site {OURS[:8]}" in refused.value.hint
        assert shared.copied.entries() == [] and site_ids.kept() == ""

    def test_the_command_says_how_to_choose_and_the_choice_is_kept(self, shared: Shared) -> None:
        key = key_file(shared)

        refused, out, _ = command("backup_fetch", "latest", "--from", "nas", "--identity", key, "--json")
        code, answer, _ = command(
            "backup_fetch", "latest", "--from", "nas", "--identity", key, "--of-site", OURS[:8], "--json"
        )

        assert (refused, json.loads(out)["code"]) == (2, "several_sites")
        assert code == 0  # that theirs is newer is no failure of ours
        found = {row["backup_id"]: row["error_code"] for row in json.loads(answer)}
        assert found == {shared.theirs: "copy_of_another_site", shared.ours: None}
        assert site_ids.kept() == OURS
        assert BackupCopy.objects.get(backup_id=shared.ours).state == "complete"
        again, listed, _ = command("backup_fetch", "latest", "--from", "nas", "--identity", key, "--json")
        assert again == 0 and {row["backup_id"] for row in json.loads(listed)} == {shared.theirs, shared.ours}

    def test_a_site_that_is_not_there_is_named(self, shared: Shared) -> None:
        with pytest.raises(SiteNotFound):
            shared.copied.fetch("latest", of_site="ffff")

    def test_a_backup_that_only_one_site_has_is_fetched_by_its_id(self, shared: Shared) -> None:
        assert shared.errors(shared.theirs) == {shared.theirs: None}
        assert site_ids.kept() == THEIRS

    def test_of_one_site_alone_everything_comes_also_what_names_no_site(self, shared: Shared) -> None:
        put_again(shared.copied, shared.theirs, site_id=OURS)

        found = {**shared.errors("holders"), **shared.errors("latest")}

        assert found == {shared.older: None, shared.theirs: None}
        assert site_ids.kept() == OURS

    def test_a_readable_copy_beside_encrypted_ones_is_no_second_site(self, shared: Shared) -> None:
        put_again(shared.copied, shared.ours, site_id=THEIRS)
        put_again(shared.copied, shared.older, site_id=OURS, recipients=())  # anybody who can write there can make one

        assert shared.errors("latest") == {shared.theirs: None}
        assert site_ids.kept() == THEIRS

    def test_without_a_key_nothing_is_known_of_sites(self, shared: Shared) -> None:
        listed = rows.at_target(configuration=shared.copied.configuration, target=shared.copied.target, identities=[])

        assert {row.state for row in listed} == {"complete"} and {row.site_id for row in listed} == {""}


class TestTheIdOfASite:
    def test_it_is_made_with_the_first_copy_and_kept_when_the_folder_moves(self, burn: Burn) -> None:
        copied = burn([False])
        shutil.rmtree(copied.configuration.backup_dir, ignore_errors=True)
        shutil.copytree(copied.burned, copied.configuration.backup_dir)
        making_copies = replace(
            copied.configuration,
            targets=(TargetSettings(name="nas", kind="file", place=str(copied.target.root)),),
            copy_recipients=(KEY.public,),
        )
        store_id = preparation.store(making_copies).store_id()
        with override_settings(TEMPLEOPS=making_copies):
            made = self._copied(making_copies)
        elsewhere = replace(making_copies, backup_dir=copied.burned.parent / "moved")
        shutil.move(making_copies.backup_dir, elsewhere.backup_dir)
        (elsewhere.backup_dir / ".store_id").write_text("1d" * 16 + f"\n{making_copies.database_name}\n")
        BackupCopy.objects.all().delete()
        with override_settings(TEMPLEOPS=elsewhere):
            again = self._copied(elsewhere)

        assert made == [store_id] and set(again) == {store_id}
        assert site_ids.kept() == store_id

    def _copied(self, configuration: Configuration) -> list[str]:
        """Copy what is lacking. Return the sites that the copies name, also in their `site.json`."""
        assert work.copy_what_is_lacking(configuration=configuration) == 1
        newest = next(one for one in copy_reading.find(self._target(configuration)))
        contents = copy_reading.open_contents(newest, identities=identities(KEY))
        assert contents.site is not None and newest.manifest is not None
        into = Kept()
        copy_reading.receive(
            self._target(configuration), manifest=newest.manifest, file=contents.site, into=into,
            identities=identities(KEY),
        )  # fmt: skip
        assert site_content.read(bytes(into.data))["site_id"] == contents.site_id
        return [contents.site_id]

    def _target(self, configuration: Configuration) -> DirectoryTarget:
        return DirectoryTarget(name="nas", root=Path(configuration.targets[0].place))

    def test_copies_from_before_there_were_ids_make_it_known_what_ours_will_be(self) -> None:
        assert site_ids.own(store_id=OURS) == ""

        BackupCopy.objects.create(backup_id="20250119_143022", target="nas", state="complete", created_at=NOW)

        assert site_ids.own(store_id=OURS) == OURS == site_ids.made(store_id=OURS, now=NOW)
        assert site_ids.made(store_id=THEIRS, now=NOW) == site_ids.own(store_id=THEIRS) == OURS

    def test_one_of_an_odd_folder_is_an_id_all_the_same_and_always_the_same(self) -> None:
        one = site_ids.made(store_id="the disk of the office", now=NOW)
        SiteIdentity.objects.all().delete()

        assert site_ids.is_id(one)
        assert site_ids.made(store_id="the disk of the office", now=NOW) == one

    def test_what_is_no_id_is_not_taken_over(self) -> None:
        for wrong in ("", "4F" * 16, "4f" * 15, "4f" * 17):
            site_ids.take_over(wrong, now=NOW)

        assert site_ids.kept() == ""


class Kept:
    """A file in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)
