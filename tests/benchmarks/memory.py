"""The peak memory of this process, in MB."""

from __future__ import annotations

import re
import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = re.compile(r"^VmHWM:\s+([0-9]+) kB", re.MULTILINE)


def peak_mb() -> float:
    """Return the most that this process has had in memory since its program began, in MB.

    getrusage(2) counts what the process that started it had as well: on Linux `ru_maxrss` outlives exec.
    """
    found = _PEAK.search(_STATUS.read_text()) if _STATUS.exists() else None
    return int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
