"""`removed.json` of the store: one JSON object a line for each backup that was removed or brought back, so that an old
link can be answered without MongoDB.

    {"backup_id": "20250119_143022", "at": "2025-02-01T02:05:00Z", "by": "retention", "how": "retention",
     "reasons": ["policy"], "taken_at": "…", "documents": 12, "bytes": 812}
    {"backup_id": "20250119_143022", "at": "…", "by": "ananya", "how": "brought_back", …}

A line that cannot be read says nothing: its backup counts as never removed by us.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backups_app import formats
from backups_app.backup_files import durable, locks
from backups_app.errors import DiskFull, TempleOpsError

NAME = "removed.json"
MOST = 10_000
RETENTION, PERSON, BROUGHT_BACK = "retention", "person", "brought_back"


@dataclass(frozen=True, kw_only=True)
class Removal:
    """That a backup was removed (`how` is retention or person) or brought back, when, by whom and why (codes)."""

    backup_id: str
    at: datetime
    by: str
    how: str
    reasons: tuple[str, ...] = ()
    taken_at: datetime | None = None
    documents: int | None = None
    bytes: int | None = None


def note(root: Path, removal: Removal) -> None:
    """Add a line, durably; the file keeps the newest `MOST` lines. On a full disk the line is added in place where it
    has room in the last block of the file. Raise `DiskFull`, `FolderNotWritable`, `StorageFailed`."""
    line = json.dumps(formats.plain(asdict(removal)), ensure_ascii=False, allow_nan=False).encode()
    with locks.held(root, locks.REMOVED):
        lines = [*_lines(root), line][-MOST:]
        try:
            durable.write_whole(root / NAME, b"\n".join(lines) + b"\n")
        except DiskFull:
            with suppress(OSError):
                (root / durable.temporary_name(NAME)).unlink()
            if not _added_in_place(root / NAME, line + b"\n"):
                raise


def _added_in_place(path: Path, line: bytes) -> bool:
    """Add the line to the file as it lies there, wholly or not at all. Return whether it was done."""
    try:
        with path.open("r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                if file.write(line) == len(line):
                    durable.sync_file(path)
                    return True
            except (OSError, TempleOpsError):
                pass
            file.truncate(end)
    except OSError:
        pass
    return False


def all_of(root: Path) -> dict[str, Removal]:
    """Return the last line of each backup, by id, without those that were brought back."""
    last = {one.backup_id: one for one in _removals(root)}
    return {backup_id: one for backup_id, one in last.items() if one.how != BROUGHT_BACK}


def of_backup(root: Path, backup_id: str) -> Removal | None:
    """Return the last removal of a backup; None where we did not remove it, or it was brought back."""
    return all_of(root).get(backup_id)


def _lines(root: Path) -> list[bytes]:
    try:
        return (root / NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        durable.fail(error, path=root)


def _removals(root: Path) -> Iterator[Removal]:
    try:
        lines = _lines(root)
    except TempleOpsError:
        return
    for line in lines:
        try:
            yield _read(json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _read(plain: dict[str, Any]) -> Removal:
    return Removal(
        backup_id=str(plain["backup_id"]),
        at=_moment(plain["at"]),
        by=str(plain["by"]),
        how=str(plain["how"]),
        reasons=tuple(str(reason) for reason in plain.get("reasons") or ()),
        taken_at=_moment(plain["taken_at"]) if plain.get("taken_at") else None,
        documents=plain.get("documents"),
        bytes=plain.get("bytes"),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
