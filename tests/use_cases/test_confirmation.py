"""What deletes or replaces is confirmed by its phrase, exactly."""

from __future__ import annotations

import pytest

from backups_app.errors import ConfirmationMissing, RestoreNotConfirmed
from backups_app.use_cases import confirmation


@pytest.mark.parametrize("typed", ["DELETE BOOKINGS", " DELETE BOOKINGS\n"])
def test_the_phrase_confirms(typed: str) -> None:
    confirmation.require_deletion(typed)


@pytest.mark.parametrize(
    "typed", ["", "delete bookings", "DELETE  BOOKINGS", "DELETE BOOKING", "DELETE BOOKINGS!", "RESTORE"]
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(ConfirmationMissing):
        confirmation.require_deletion(typed)


def test_the_refusal_is_the_one_of_the_act() -> None:
    with pytest.raises(RestoreNotConfirmed):
        confirmation.require("RESTORE", typed="DELETE BOOKINGS", refusal=RestoreNotConfirmed())
