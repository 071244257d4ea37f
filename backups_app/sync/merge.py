"""What to do with one document, given what both sides had when last seen equal: a pure three-way table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backups_app.catalog.sync import sync_base
from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.records import Side
from backups_app.sync import edit_time

TIES = frozenset({messages.WHY_TIE_WITHOUT_TIMES.code, messages.WHY_TIE_OF_TIMES.code})
"""The codes of the reasons of a tie."""
"""How the reason of a tie ends."""


class Outcome(StrEnum):
    """The rows of the table. PUSH is from local to remote, PULL from remote to local."""

    EQUAL = "equal"
    PUSH = "push"
    PULL = "pull"
    CONFLICT = "conflict"
    DELETE_REMOTE = "delete_remote"
    DELETE_LOCAL = "delete_local"
    PULL_EDIT = "pull_edit"
    PUSH_EDIT = "push_edit"
    FORGET = "forget"


@dataclass(frozen=True, kw_only=True)
class Winner:
    """Whose version stays when both sides changed one document, and why."""

    side: Side
    reason: str


def outcome(*, base: bytes | None, local: bytes | None, remote: bytes | None) -> Outcome:
    """Given the hash of the base and of each side's bytes (None: not there), return what is to be done.

    | base | local   | remote  | outcome                                   |
    |------|---------|---------|-------------------------------------------|
    | any  | =remote | =local  | EQUAL (it becomes the base), or FORGET    |
    | –    | present | absent  | PUSH                                      |
    | –    | absent  | present | PULL                                      |
    | –    | differs | differs | CONFLICT                                  |
    | B    | B       | changed | PULL                                      |
    | B    | changed | B       | PUSH                                      |
    | B    | changed | changed | CONFLICT                                  |
    | B    | absent  | B       | DELETE_REMOTE                             |
    | B    | B       | absent  | DELETE_LOCAL                              |
    | B    | absent  | changed | PULL_EDIT: the edit beats the deletion    |
    | B    | changed | absent  | PUSH_EDIT                                 |

    Where a restore has marked the base, the version B on the local side counts as a new edit.
    """
    base = _base_that_counts(base, local, remote)
    if local == remote:
        return Outcome.FORGET if local is None else Outcome.EQUAL
    if local is None:
        return _absent(base, remote, new=Outcome.PULL, gone=Outcome.DELETE_REMOTE, edited=Outcome.PULL_EDIT)
    if remote is None:
        return _absent(base, local, new=Outcome.PUSH, gone=Outcome.DELETE_LOCAL, edited=Outcome.PUSH_EDIT)
    if local == base:
        return Outcome.PULL
    return Outcome.PUSH if remote == base else Outcome.CONFLICT


def _base_that_counts(base: bytes | None, local: bytes | None, remote: bytes | None) -> bytes | None:
    """Return none for the version that a restore left here, and its plain hash where only Atlas has that version."""
    if base is None or not sync_base.is_restored(base):
        return base
    if local is not None and sync_base.as_restored(local) == base:
        return None
    return remote if remote is not None and sync_base.as_restored(remote) == base else base


def _absent(base: bytes | None, present: bytes | None, *, new: Outcome, gone: Outcome, edited: Outcome) -> Outcome:
    if base is None:
        return new
    return gone if present == base else edited


def winner(*, local: bytes, remote: bytes, fields: Sequence[str], now: datetime) -> Winner:
    """Given both raw documents of a conflict, return the side whose version stays.

    1. One usable moment and one not: the usable one wins.
    2. Both unusable, or within one second of each other: a tie, local wins.
    3. Otherwise the newer one wins.
    """
    here, there = (edit_time.milliseconds(frame, fields=fields, now=now) for frame in (local, remote))
    if here is None and there is None:
        return Winner(side=Side.LOCAL, reason=messages.WHY_TIE_WITHOUT_TIMES())
    if here is None:
        return Winner(side=Side.REMOTE, reason=messages.WHY_ONLY_REMOTE_TIMED())
    if there is None:
        return Winner(side=Side.LOCAL, reason=messages.WHY_ONLY_LOCAL_TIMED())
    if abs(here - there) <= edit_time.TIE_MILLISECONDS:
        return Winner(side=Side.LOCAL, reason=messages.WHY_TIE_OF_TIMES())
    side = Side.LOCAL if here > there else Side.REMOTE
    return Winner(side=side, reason=messages.WHY_NEWER(side=words.side(side.value)))
