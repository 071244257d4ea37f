"""How much memory and how many open files processes have, from one look to the next (Linux)."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from statistics import median

MEMORY_GROWTH, MEMORY_SLACK_MB = 1.2, 20
FILES_SLACK = 10


class Usage:
    """Looks at processes by role. One that was replaced goes on under its role; children count with their parent."""

    def __init__(self) -> None:
        self._megabytes: dict[str, list[float]] = defaultdict(list)
        self._files: dict[str, list[int]] = defaultdict(list)
        self.failures: list[str] = []

    def look(self, processes: dict[str, int]) -> None:
        """Note memory and open files of each."""
        for role, number in processes.items():
            family = [number, *children(number)]
            self._megabytes[role].append(sum(map(_megabytes, family)))
            self._files[role].append(sum(map(_open_files, family)))

    def summary(self) -> str:
        """Return the last look as a sentence."""
        return ", ".join(
            f"{role} {self._megabytes[role][-1]:.0f} MB {self._files[role][-1]} files" for role in self._megabytes
        )

    def verdict(self) -> list[str]:
        """Compare the last third with the first. What grew is a failure."""
        return [self._of_role(role) for role in self._megabytes]

    def _of_role(self, role: str) -> str:
        memory, files = self._megabytes[role], self._files[role]
        third = max(len(memory) // 3, 1)
        before, after = median(memory[:third]), median(memory[-third:])
        files_before, files_after = median(files[:third]), median(files[-third:])
        sentence = (
            f"{role}: memory {before:.0f} MB in the first third, {after:.0f} in the last, at most {max(memory):.0f}; "
            f"open files {files_before:.0f}, {files_after:.0f}, at most {max(files)}"
        )
        if after > before * MEMORY_GROWTH + MEMORY_SLACK_MB or files_after > files_before + FILES_SLACK:
            self.failures.append(sentence)
            return f"{sentence}: it grew"
        return sentence


def children(number: int) -> list[int]:
    """Return the process ids of children and grandchildren."""
    path = Path(f"/proc/{number}/task/{number}/children")
    own = [int(one) for one in path.read_text().split()] if path.exists() else []
    return own + [grandchild for child in own for grandchild in children(child)]


def _megabytes(number: int) -> float:
    try:
        pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _open_files(number: int) -> int:
    try:
        return len(os.listdir(f"/proc/{number}/fd"))
    except OSError:
        return 0
