"""One confirmation: what deletes or replaces is done only after its phrase was typed, by every face in the same way."""

from __future__ import annotations

from backups_app.errors import ConfirmationMissing, TempleOpsError
from backups_app.records import CONFIRMATION_PHRASE


def require(phrase: str, *, typed: str, refusal: TempleOpsError) -> None:
    """Raise `refusal` unless `typed` is the phrase. Spaces around it do not count; case and inner spaces do."""
    if typed.strip() != phrase:
        raise refusal


def require_deletion(typed: str) -> None:
    """Raise `ConfirmationMissing` unless the phrase that lets bookings be deleted was typed."""
    require(CONFIRMATION_PHRASE, typed=typed, refusal=ConfirmationMissing())
