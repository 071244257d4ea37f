"""Processor time of the parts of a site: of all processes that this one has started, by their command lines."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

PARTS = {
    "searching_process": "searches", "gunicorn": "pages and API", "worker": "backup", "mongod": "mongod",
    "tests.benchmarks.load": "load generator",
}  # fmt: skip
_PARENT, _USED = 1, slice(11, 15)
"""Fields 4 and 14 to 17 of proc(5), counted after the name: own time and that of children that have ended."""


def by_part() -> dict[str, float]:
    """Return the seconds used so far, by part. Linux only."""
    stats = {int(path.name): _fields(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    parents = {pid: int(fields[_PARENT]) for pid, fields in stats.items() if fields}
    used: defaultdict[str, float] = defaultdict(float)
    for pid in parents:
        if _is_below(pid, os.getpid(), parents):
            ticks = sum(map(int, stats[pid][_USED]))
            used[_part(pid)] += ticks / os.sysconf("SC_CLK_TCK")
    return dict(used)


def _fields(path: Path) -> list[str]:
    try:
        return (path / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while (parent := parents.get(pid)) is not None:
        if parent == root:
            return True
        pid = parent
    return False


def _part(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "other"
    return next((part for word, part in PARTS.items() if word in command), "other")
