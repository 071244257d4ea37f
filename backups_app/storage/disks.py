"""Which disk a file system is on, as far as Linux says: two partitions of one disk die together.

What cannot be known here: the disks behind a controller, a virtual machine's volumes, or the server of a network mount.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/sys/dev/block")
MOUNTS = Path("/proc/self/mountinfo")
TABLE = Path("/etc/fstab")
IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs", "hugetlbfs", "zram"})
LAYERS = 8
"""Volumes lie on volumes; more than so many nobody builds."""


@dataclass(frozen=True, kw_only=True)
class Mounted:
    """A mounted file system: its kind and what it is mounted from."""

    kind: str
    source: str


def empty_mount_point(path: Path) -> Path | None:
    """Return the mount point of `/etc/fstab` that a directory is at or below, where nothing is mounted there. None
    where there is no such one, or nobody can know."""
    known = _mount_points()
    return next((one for one in (path, *path.parents) if one in known and not os.path.ismount(one)), None)


def _mount_points() -> set[Path]:
    """Return the mount points of `/etc/fstab`; there a space is written as \\040."""
    try:
        lines = [line.split() for line in TABLE.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return set()
    wanted = [words[1] for words in lines if len(words) > 2 and not words[0].startswith("#")]
    return {Path(one.replace("\\040", " ")) for one in wanted if one.startswith("/")}


def is_in_memory(device: int) -> bool:
    """Whether a file system, by its `st_dev`, lies in this computer's memory: the next restart empties it."""
    found = _mounted(device)
    return found is not None and found.kind in IN_MEMORY


def disks_under(device: int) -> frozenset[str]:
    """Return the disks that a file system, by its `st_dev`, lies on; where Linux does not say, the file system
    itself."""
    number = _number(_block_device(device))
    found = frozenset(_disks(SYSTEM / number, layers=LAYERS))
    return found or frozenset({number})


def _disks(block: Path, *, layers: int) -> Iterator[str]:
    """A partition is on the disk whose folder holds its own; a mapped volume on what it is made of."""
    if not layers or not block.exists():
        return
    folder = block.resolve()
    if (folder / "partition").exists():
        folder = folder.parent
    below: list[Path] = []
    with suppress(OSError):
        below = list((folder / "slaves").iterdir())
    if not below:
        yield folder.name
    for one in below:
        yield from _disks(one, layers=layers - 1)


def _block_device(device: int) -> int:
    """Some file systems (Btrfs) have a number of their own; what they are mounted from is the device."""
    found = _mounted(device)
    if os.major(device) == 0 and found is not None and found.source.startswith("/dev/"):
        with suppress(OSError):
            return Path(found.source).stat().st_rdev
    return device


def _mounted(device: int) -> Mounted | None:
    number = _number(device)
    with suppress(OSError):
        for line in MOUNTS.read_text(errors="replace").splitlines():
            mount, _, rest = line.partition(" - ")
            if mount.split()[2:3] == [number] and len(rest.split()) >= 2:
                kind, source = rest.split()[:2]
                return Mounted(kind=kind, source=source)
    return None


def _number(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"
