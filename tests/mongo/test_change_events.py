"""Why a change stream broke: the reason that is shown is the reason."""

from __future__ import annotations

import pytest
from pymongo.errors import OperationFailure

from backups_app.mongo import change_events


@pytest.mark.parametrize(
    ("code", "name", "reason"),
    [
        (286, "ChangeStreamHistoryLost", "its history is gone (code 286)"),
        (280, "ChangeStreamFatalError", "its history is gone (code 280)"),
        (50738, "Location50738", "it could not be read (Location50738)"),
        (50, "MaxTimeMSExpired", "it could not be read (MaxTimeMSExpired)"),
        (999, None, "it could not be read (code 999)"),
    ],
)
def test_only_a_place_that_left_the_oplog_is_history_that_is_gone(code: int, name: str | None, reason: str) -> None:
    broken = change_events.refused(OperationFailure("refused", code, {"codeName": name} if name else {}))

    assert broken.args[0].english == reason
