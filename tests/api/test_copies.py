"""Copies over the API: what a removal answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups_app.models import User
from backups_app.storage import targets
from tests.retention.conftest import Temple
from tests.retention.conftest import temple as temple
from tests.security.conftest import Caller, SignIn
from tests.security.conftest import sign_in as sign_in
from tests.use_cases.test_copies import Copied, using


@pytest.fixture
def copied(temple: Temple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copied]:
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: True)
    with using(temple, tmp_path / "nas") as found:
        found.target.root.mkdir()
        found.target.prepare(database=temple.database.name)
        yield found


def test_a_removed_copy_says_what_only_this_disk_holds_now(copied: Copied, super_admin: User, sign_in: SignIn) -> None:
    caller: Caller = sign_in(super_admin)
    holder, plain = copied.temple.add(days=5, holds_alone={"bookings": 1_562}), copied.temple.add(days=4)
    copied.copy()

    of_holder, of_plain = (
        caller.send("DELETE", f"/api/backups/{one}/copies?target=nas&confirm={one}") for one in (holder, plain)
    )

    assert (of_holder.status_code, of_plain.status_code) == (200, 200)
    assert json.loads(of_holder.content) == {
        "backup_id": holder, "target": "nas", "only_here": "1,562 deleted documents exist only on this disk.",
        "kept": None,
    }  # fmt: skip
    assert json.loads(of_plain.content)["only_here"] is None
    assert not {holder, plain} & set(copied.there())
