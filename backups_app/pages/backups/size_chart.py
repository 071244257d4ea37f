"""The size of the last backups as bars, drawn by the server. Pure: rows in, numbers of an SVG out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backups_app.pages.backups.rows import BackupRow
from backups_app.pages.shared.wording import aware

BARS = 60
STEP, BAR = 12, 8
HEIGHT = 96
LEAST = 2


@dataclass(frozen=True, kw_only=True)
class SizeBar:
    """One backup, or a run without one (`height` 0: a mark on the axis). `x`, `y` and `height` are units of the SVG."""

    row: BackupRow
    x: int
    y: int
    height: int
    value: float


@dataclass(frozen=True, kw_only=True)
class SizeChart:
    """Bars from the oldest to the newest, in an SVG of `width` x `height` units."""

    bars: Sequence[SizeBar]
    width: int
    height: int
    bar_width: int = BAR


def chart_of(rows: Sequence[BackupRow], *, value: Callable[[BackupRow], float] | None = None) -> SizeChart | None:
    """Return the chart of the newest 60 of `rows` (newest first), of their sizes or another `value`; None where there
    are not two values to compare. What was removed on purpose, or lies on another host, has no bar."""
    of: Callable[[BackupRow], float] = value or size_bytes
    shown = [row for row in rows if not (row.was_removed or row.on_host)][:BARS][::-1]
    largest = max((of(row) for row in shown), default=0)
    if sum(1 for row in shown if of(row)) < 2:
        return None
    heights = [max(LEAST, round(HEIGHT * of(row) / largest)) if of(row) else 0 for row in shown]
    bars = [
        SizeBar(row=row, x=number * STEP, y=HEIGHT - height, height=height, value=of(row))
        for number, (row, height) in enumerate(zip(shown, heights, strict=True))
    ]
    return SizeChart(bars=bars, width=len(shown) * STEP - (STEP - BAR), height=HEIGHT)


def size_bytes(row: BackupRow) -> int:
    """Return the size of a backup, 0 where a run made none."""
    return (row.run.size_bytes or 0) if row.run.published else 0


def seconds(row: BackupRow) -> float:
    """Return how long the run of a backup took, to a tenth of a second and at least that; 0 where it made none or has
    not ended."""
    ended = row.run.finished_at
    if ended is None or not row.run.published:
        return 0
    return max(0.1, round((ended - row.run.created_at).total_seconds(), 1))
