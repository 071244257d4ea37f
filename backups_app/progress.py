"""How an operation says what it is doing, without knowing who listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """What every operation is handed. All methods are cheap; call `advance` per batch, not per document."""

    def expect(self, label: str, total: int) -> None:
        """`total` documents will pass under `label` (a collection's name); 0: nobody knows how many."""

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        """`count` more documents of `label` are done. Also a checkpoint."""

    def note(self, sentence: str) -> None:
        """One line for the technical log. Never holds a secret or a document."""

    def checkpoint(self) -> None:
        """Raise `RunCancelled` when a cancel was asked for, `OwnershipLost` when the lease is no longer ours.

        Called at least once per batch, and before every batch that deletes or overwrites.
        """


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How quickly a step goes. `seconds_left` is None where the total is not known."""

    per_second: float
    seconds_left: float | None


def pace(*, done: int, total: int, seconds: float) -> Pace | None:
    """Given what was done of a total in some seconds, return the pace, or None before anything can be known."""
    if not done or seconds <= 0:
        return None
    return Pace(per_second=done / seconds, seconds_left=max(0.0, (total - done) * seconds / done) if total else None)


class Silent:
    """Listens to nothing: for tests and for work nobody watches."""

    def expect(self, label: str, total: int) -> None: ...

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None: ...

    def note(self, sentence: str) -> None: ...

    def checkpoint(self) -> None: ...
