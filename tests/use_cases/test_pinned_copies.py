"""A pin that is younger than the copy keeps the copy when the backup is lost here."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from backups_app.records import Origin
from backups_app.retention.policy import Policy
from backups_app.use_cases.retention import pins
from tests.use_cases import test_copies
from tests.use_cases.test_copies import Copied

temple, copied = test_copies.temple, test_copies.copied


@pytest.mark.parametrize("by", ["record", "row"])
def test_a_backup_pinned_after_it_was_copied_stays_at_the_target(copied: Copied, by: str) -> None:
    temple = copied.temple
    old = temple.add(days=30)
    unpinned = temple.add(days=40)
    copied.copy()
    now = datetime.now(UTC)
    pins.pin(
        configuration=copied.configuration, backup_id=old, note="keep", requested_by="ravi", origin=Origin.WEB, now=now
    )
    if by == "row":
        copied.clear()
        assert copied.row(old).backup["pinned"]
        temple.database["backup_metadata"].update_one({"_id": old}, {"$unset": {"pinned": ""}})
    temple.set_policy(Policy(last=1))
    for lost in (old, unpinned):
        shutil.rmtree(temple.store.folder(lost))

    copied.clear(days=3)

    assert old in copied.there()
    assert unpinned not in copied.there()
