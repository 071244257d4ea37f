"""A copy to which somebody else could write is refused by name, and neither other copies nor a page fail over it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backups_app.backup_files import metadata
from backups_app.errors import CopyUnreadable, DiskFull, VerificationFailed
from backups_app.models import User
from backups_app.runs import preparation
from backups_app.runs.copies import receiving
from backups_app.runs.description import description
from backups_app.runs.recovery import housekeeping
from backups_app.storage import copy_reading
from backups_app.storage.directory import DirectoryTarget
from backups_app.use_cases.fetching import rows
from backups_app.use_cases.listing import listing
from tests.fetching.conftest import Burn, Copied
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
Changed = Callable[[dict[str, Any]], None]


def metadata_field(name: str, value: Any) -> Changed:
    return lambda contents: contents["metadata"].update({name: value})


def file_field(number: int, name: str, value: Any) -> Changed:
    return lambda contents: contents["files"][number].update({name: value})


def below_the_first(contents: dict[str, Any]) -> None:
    contents["files"][1]["path"] = contents["files"][0]["path"] + "/x"


def without_its_beginning(contents: dict[str, Any]) -> None:
    del contents["metadata"]["created_at"]


def with_a_wrong_manifest(contents: dict[str, Any]) -> None:
    contents["metadata"]["manifest"]["collections"]["bookings"]["documents"] = "x"


METADATA: Sequence[Changed] = [
    metadata_field("documents", 10**30), metadata_field("documents", "x"), metadata_field("bytes", "y"),
    metadata_field("collections_backed_up", 5), metadata_field("steps", [{"labels": [5]}]),
    metadata_field("purge", {"remote": {"bookings": {"deleted": "x"}}}), metadata_field("extra", [10**30]),
    metadata_field("note", "\ud800"), metadata_field("note", {}), with_a_wrong_manifest,
    metadata_field("created_at", "0001-01-01T00:00:00+14:00"), metadata_field("extra", {"a\0b": 1}),
]  # fmt: skip
OF_A_COPY: Sequence[Changed] = [
    metadata_field("holds_alone", {"bookings": "x"}),
    metadata_field("extra", float("nan")), metadata_field("backup_id", "../../x"),
    metadata_field("backup_id", "20010101_000000"), file_field(0, "size_bytes", 10**400),
    file_field(0, "size_bytes", 10**15), file_field(0, "path", "temple_db/\ud800"),
    file_field(0, "path", "temple_db/" + "a" * 300), below_the_first, without_its_beginning,
]  # fmt: skip


def change(target: DirectoryTarget, backup_id: str, changed: Changed) -> None:
    """Change the contents of the manifest of a copy, as somebody who can write to the target may."""
    (found,) = copy_reading.find(target, only=backup_id)
    path = target.root / found.object_name
    manifest = json.loads(path.read_bytes())
    changed(manifest["contents"])
    path.write_text(json.dumps(manifest))


def test_a_poisoned_copy_is_refused_by_name_and_the_other_comes(burn: Burn, tmp_path: Path) -> None:
    copied = burn([False, False], recipients=())
    poisoned, good = copied.made

    for number, changed in enumerate([*METADATA, *OF_A_COPY]):
        target = DirectoryTarget(name="nas", root=tmp_path / f"nas-{number}")
        shutil.copytree(copied.target.root, target.root)
        change(target, poisoned, changed)

        found = {one.choice.backup_id: one.error for one in copied.fetch("all", target=target)}
        listed = {
            one.backup_id: one.state
            for one in rows.at_target(configuration=copied.configuration, target=target, identities=[])
        }

        assert isinstance(found[poisoned], CopyUnreadable | VerificationFailed), number
        assert found[good] is None
        assert listed == {poisoned: "failed", good: "complete"}
        assert copied.entries() == [f"backup_{good}"]


def test_what_no_check_foresaw_in_one_copy_does_not_keep_the_others_away(
    burn: Burn, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = burn([False, False])
    odd, good = copied.made
    receive = receiving.receive

    def stumble(**given: Any) -> None:
        if given["manifest"].backup_id == odd:
            raise OverflowError
        receive(**given)

    monkeypatch.setattr(receiving, "receive", stumble)

    found = {one.choice.backup_id: one.error for one in copied.fetch("all")}

    assert isinstance(found[odd], CopyUnreadable) and found[good] is None
    assert copied.entries() == [f"backup_{good}"]


def test_one_copy_for_which_there_is_no_room_leaves_the_smaller_one_its_own(
    burn: Burn, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = burn([False, False])
    small, large = copied.made
    require = receiving._require_room
    asked: list[int] = []

    def only_the_second(store: Any, needed: int) -> None:
        asked.append(needed)
        require(store, needed if len(asked) > 1 else 1 << 60)

    monkeypatch.setattr(receiving, "_require_room", only_the_second)

    found = {one.choice.backup_id: one.error for one in copied.fetch("all")}

    assert isinstance(found[large], DiskFull) and found[small] is None


def test_a_metadata_json_that_was_edited_stops_no_backup_and_no_page(
    burn: Burn,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    """As one fetched by an earlier version is."""
    copied = burn([False, False], recipients=())
    copied.fetch("all")
    poisoned, good = copied.made
    path = copied.folder(poisoned) / "metadata.json"
    sound = metadata.read_plain(copied.folder(poisoned)) or {}
    client, caller = signed_in(super_admin), sign_in(super_admin)

    for changed in METADATA:
        contents = {"metadata": json.loads(json.dumps(sound))}
        changed(contents)
        path.write_text(json.dumps(contents["metadata"]))

        assert _restored(copied) <= {good}
        assert {run.id: run.damaged for run in listing.list_runs(configuration=copied.configuration)} == {
            poisoned: True,
            good: False,
        }
        call_command("backup_list", stdout=io.StringIO())
    for page in (
        "/metrics", "/admin/backups/list/", "/admin/backups/schedule/",
        f"/admin/backups/runs/{poisoned}/", f"/admin/backups/browse/?backup={poisoned}",
    ):  # fmt: skip
        assert client.get(page, HTTP_HOST="127.0.0.1").status_code in (200, 404), page  # it has no run to show
    for asked in ("/api/backups", f"/api/backups/{poisoned}"):
        assert caller.get(asked).status_code == 200, asked
    assert housekeeping.put_in_order(configuration=copied.configuration, now=datetime.now(UTC)) == []


def _restored(copied: Copied) -> set[str]:
    database, store = preparation.local_database(copied.configuration), preparation.store(copied.configuration)
    return set(housekeeping.rebuild_records(database=database, store=store))


def test_a_record_that_mongodb_refuses_does_not_keep_the_others_away(
    burn: Burn, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = burn([False, False], recipients=())
    copied.fetch("all")
    odd, good = copied.made
    without = description.merged

    def merged(*given: Any) -> Any:
        run = without(*given)
        return run | {"extra": 10**30} if run.id == odd else run

    monkeypatch.setattr(description, "merged", merged)

    assert _restored(replace(copied)) == {good}
