"""The size of the last backups as bars, drawn by the server. Pure: rows in, numbers of an SVG out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backups_app.pages.backups.rows import BackupRow

BARS = 60
STEP, BAR = 12, 8
HEIGHT = 96
LEAST = 2


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One backup, or a run without one (`height` 0: a mark on the axis). `x`, `y` and `height` are units of the SVG."""

    row: BackupRow
    x: int
    y: int
    height: int


@dataclass(frozen=True, kw_only=True)
class SizeChart:
    """Bars from the oldest to the newest, in an SVG of `width` x `height` units."""

    bars: Sequence[Bar]
    width: int
    height: int
    bar_width: int = BAR


def chart_of(rows: Sequence[BackupRow]) -> SizeChart | None:
    """Return the chart of the newest 60 of `rows` (newest first); None where there are not two sizes to compare."""
    shown = list(rows[:BARS])[::-1]
    largest = max((_bytes(row) for row in shown), default=0)
    if sum(1 for row in shown if _bytes(row)) < 2:
        return None
    heights = [max(LEAST, round(HEIGHT * _bytes(row) / largest)) if _bytes(row) else 0 for row in shown]
    bars = [
        Bar(row=row, x=number * STEP, y=HEIGHT - height, height=height)
        for number, (row, height) in enumerate(zip(shown, heights, strict=True))
    ]
    return SizeChart(bars=bars, width=max(len(shown), BARS // 2) * STEP, height=HEIGHT)


def _bytes(row: BackupRow) -> int:
    return int(row.run.get("bytes") or 0) if row.run["published"] else 0
