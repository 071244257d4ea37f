"""Why a backup is kept, in the words of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backups_app.messages.protection import retention as messages
from backups_app.pages.shared.message_text import text_of
from backups_app.retention.shrinkage import Shrinkage
from backups_app.use_cases.retention.kept import Kept, KeptBackups


@dataclass(frozen=True, kw_only=True)
class KeptBecause:
    """The reasons of one backup, as sentences: why it stays, or with `goes` why the next pass removes it. `held`: an
    admin has to release it first; `held_documents` is None where nobody counted. `released`: an admin did."""

    reasons: Sequence[str]
    goes: bool
    held: bool
    held_documents: int | None
    released: bool
    shrinkages: Sequence[Shrinkage]


def reason(code: str) -> str:
    """Return what the code of a reason says; the code itself where it is not known."""
    return text_of(messages.REASONS[code]()) if code in messages.REASONS else code


def shown(looked: KeptBackups) -> dict[str, KeptBecause]:
    """Return why each backup is kept, by id."""
    return {backup_id: _shown(one) for backup_id, one in looked.backups.items()}


def _shown(one: Kept) -> KeptBecause:
    holds = one.backup.holds
    return KeptBecause(
        reasons=[reason(code) for code in one.reasons],
        goes=one.goes,
        held=one.backup.is_holder,
        held_documents=None if holds is None else sum(holds.values()),
        released=one.backup.holds_something and one.backup.released,
        shrinkages=one.shrinkages,
    )
