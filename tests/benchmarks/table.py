"""One table: each row beside its peer or its physical limit, measured in turns, as medians and their ratio."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

NOISY = 1.25
"""A row whose rounds differ by more than a quarter is marked."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One act: its seconds, and the peak memory of the process that did it (0: not measured)."""

    seconds: float
    peak_mb: float = 0.0
    note: str = ""


Act = Callable[[], Measured]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is measured, and what it is held against: `peer` names it; without an act the row stands alone."""

    name: str
    ours: Act
    peer: str = ""
    theirs: Act | None = None
    rounds: int | None = None


@dataclass(kw_only=True)
class Result:
    """A row's rounds."""

    row: Row
    ours: list[Measured] = field(default_factory=list)
    theirs: list[Measured] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """The middle one of the ratios of each round: what slows down a round slows down both."""
        ratios = self._ratios()
        return statistics.median(ratios) if ratios else None

    @property
    def spread(self) -> float:
        """How far apart the rounds are: the largest ratio (or time) through the smallest."""
        values = self._ratios() or [one.seconds for one in self.ours]
        return max(values) / max(min(values), 1e-9)

    def _ratios(self) -> list[float]:
        return [one.seconds / other.seconds for one, other in zip(self.ours, self.theirs, strict=False)]

    def line(self) -> str:
        """Return the row as Markdown."""
        ours = statistics.median(one.seconds for one in self.ours)
        theirs = f"{statistics.median(one.seconds for one in self.theirs):.2f}" if self.theirs else ""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        peak = max(one.peak_mb for one in self.ours)
        memory = f"{peak:.0f}" if peak else ""
        noisy = f"{self.spread:.2f}{' noisy' if self.spread > NOISY else ''}"
        note = self.ours[-1].note
        return f"| {self.row.name} | {ours:.2f} | {theirs} | {self.row.peer} | {ratio} | {noisy} | {memory} | {note} |"


HEAD = (
    "| what | s | peer, s | peer | ratio | spread | peak MB | |\n"
    "|---|---:|---:|---|---:|---:|---:|---|"
)  # fmt: skip


def measure(row: Row, *, rounds: int) -> Result:
    """Measure a row and its peer in turns."""
    result = Result(row=row)
    for _ in range(row.rounds or rounds):
        if row.theirs is not None:
            result.theirs.append(row.theirs())
        result.ours.append(row.ours())
    return result


def show(rows: Iterable[Row], *, rounds: int) -> None:
    """Print the table, line by line as it comes to be."""
    print(HEAD, flush=True)
    for row in rows:
        print(measure(row, rounds=rounds).line(), flush=True)
