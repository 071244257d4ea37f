"""Files of this installation that hold secrets, and whether others on this computer may read them.

`.env` holds passwords of databases, the SQLite file keys of sessions in clear; the key files are keys.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

OWNER_ONLY = 0o600
JOURNALS = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, kw_only=True)
class LooseFile:
    """A file that others may read or write, its `mode`, and the command that ends it."""

    path: Path
    mode: int

    @property
    def repair(self) -> str:
        return f"chmod 600 {self.path}"


def loose() -> list[LooseFile]:
    """Return the files with a mode other than for their owner alone. What cannot be looked at is passed over."""
    return list(_loose())


def tighten() -> list[LooseFile]:
    """Make every such file readable by its owner only. Return those that stay loose, because they belong to others."""
    for one in _loose():
        try:
            one.path.chmod(OWNER_ONLY)
        except OSError:
            continue
    return loose()


def _loose() -> Iterator[LooseFile]:
    for path in _secret_files():
        try:
            found = path.stat()
        except OSError:
            continue
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISREG(found.st_mode) and mode & 0o077:
            yield LooseFile(path=path, mode=mode)


def _secret_files() -> Iterator[Path]:
    base = Path(settings.BASE_DIR)
    yield from (base / ".env", base / ".secret_key", base / ".audit_key")
    users = settings.DATABASES["default"]
    if users["ENGINE"].endswith("sqlite3"):
        yield from (Path(f"{users['NAME']}{suffix}") for suffix in JOURNALS)
