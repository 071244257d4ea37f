"""A copy that is not encrypted beside encrypted ones: everybody who can write to the target may have written it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backups_app.errors import CopyNotEncrypted, KeyMissing
from backups_app.use_cases.fetching import fetch, rows
from backups_app.use_cases.fetching.fetch import Fetched
from tests.fetching.conftest import Burn, Copied
from tests.storage import making

pytestmark = pytest.mark.django_db


def forge(copied: Copied, backup_id: str, *, as_id: str = "") -> None:
    """Put a newer copy of the backup there that is not encrypted, and says that somebody else made it."""
    folder = copied.burned / "forged" / f"backup_{as_id or backup_id}"
    shutil.copytree(copied.burned / f"backup_{backup_id}", folder)
    written = json.loads((folder / "metadata.json").read_text())
    written |= {"created_by": "FORGED", "backup_id": as_id or backup_id}
    (folder / "metadata.json").write_text(json.dumps(written))
    making.copy_folder(copied.target, folder, copied_at=datetime.now(UTC))


def made_by(copied: Copied, backup_id: str) -> str:
    return str(json.loads((copied.folder(backup_id) / "metadata.json").read_text())["created_by"])


def fetch_accepting(copied: Copied, wanted: str) -> list[Fetched]:
    original = fetch.Fetch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.fetching.conftest.Fetch", lambda **given: original(**given, accept_unencrypted=True))
        return copied.fetch(wanted)


@pytest.mark.parametrize("by_id", [False, True])
def test_the_encrypted_copy_of_the_same_backup_is_fetched(burn: Burn, by_id: bool) -> None:
    copied = burn([False])
    (one,) = copied.made
    forge(copied, one)

    results = copied.fetch(one if by_id else "latest")

    assert [result.error for result in results] == [None]
    assert made_by(copied, one) != "FORGED"


def test_without_the_key_nothing_is_fetched_in_its_place(burn: Burn) -> None:
    copied = burn([False])
    (one,) = copied.made
    forge(copied, one)

    with pytest.raises(KeyMissing):
        copied.fetch("latest", with_key=False)
    (result,) = copied.fetch(one, with_key=False)

    assert isinstance(result.error, KeyMissing)
    assert copied.entries() == []


def test_one_of_a_newer_backup_is_refused_by_name_and_accepted_when_asked_for(burn: Burn) -> None:
    copied = burn([False])
    (one,), forged = copied.made, "20991231_010203"
    copied = replace(copied, now=datetime(2100, 1, 1, tzinfo=UTC))
    forge(copied, one, as_id=forged)

    found = {result.choice.backup_id: result.error for result in copied.fetch("latest")}
    listed = rows.at_target(configuration=copied.configuration, target=copied.target, identities=[])

    assert isinstance(found[forged], CopyNotEncrypted) and found[one] is None
    assert {row.backup_id: row.state for row in listed} == {forged: "unknown", one: "complete"}
    assert [result.error for result in fetch_accepting(copied, forged)] == [None]
    assert made_by(copied, forged) == "FORGED"


def test_where_no_copy_is_encrypted_nothing_is_refused(burn: Burn) -> None:
    copied = burn([False], recipients=())

    assert [result.error for result in copied.fetch("latest")] == [None]
