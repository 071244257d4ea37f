"""`metadata.json`: what stands at the root of every backup we publish. Replaced as a whole, never edited in place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backups_app import formats
from backups_app.backup_files import descent, durable, layout, locks, stamps
from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as messages
from backups_app.messages import stored

_LARGEST = 64 * 1024 * 1024
_WITHOUT_SENTENCES = ("manifest", stamps.FIELD)
"""What is largest and needs no look."""

Stamp = tuple[int, int, int, int]


def read(folder: Path) -> dict[str, Any] | None:
    """Return the document of a backup folder, or None when there is none. Raise `VerificationFailed` when the file
    is no JSON object, is too large or is a link, `StorageFailed` when the disk does not give it."""
    document = read_plain(folder)
    if document is None:
        return None
    apart = {name: document.pop(name) for name in _WITHOUT_SENTENCES if name in document}
    return {**stored.restored(document), **apart}


def manifest_in(folder: Path) -> dict[str, Any]:
    """Return the manifest of a backup folder as it is stored; empty where there is none. Raises as `read`."""
    written = read_plain(folder) or {}
    return written.get("manifest") or {}


def read_plain(folder: Path) -> dict[str, Any] | None:
    """Return the document as it lies there: each sentence as text, its code and facts beside it. Raises as `read`."""
    try:
        with descent.open_file(folder, layout.METADATA) as file:
            # No more than there is: a buffer of the whole limit would be made for each reading.
            raw = file.read(min(_LARGEST, os.fstat(file.fileno()).st_size) + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        durable.fail(error, path=folder)
    if len(raw) > _LARGEST:
        raise VerificationFailed(problem=messages.METADATA_JSON_TOO_LARGE())
    try:
        document = json.loads(raw)
        if not isinstance(document, dict):
            raise VerificationFailed(problem=messages.METADATA_JSON_NOT_JSON_OBJECT())
        return document
    except (ValueError, RecursionError) as error:
        raise VerificationFailed(problem=messages.METADATA_JSON_INVALID()) from error


def stamp(folder: Path | str) -> Stamp | None:
    """Return what is another one as soon as the file was replaced or written to; None where there is none."""
    try:
        status = os.lstat(f"{folder}/{layout.METADATA}")
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Put `document`, made of plain JSON values, into `metadata.json`: a reader sees the old one or the new one.

    Raise `DiskFull`, `FolderNotWritable` or `StorageFailed`.
    """
    text = json.dumps(formats.plain(stored.with_details(document)), ensure_ascii=False, indent=2, allow_nan=False)
    durable.write_whole(folder / layout.METADATA, text.encode() + b"\n")


def amend(folder: Path, changes: Mapping[str, Any], *, check: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Replace these fields of a published `metadata.json` and return the whole. Two who change different fields at the
    same time both succeed. `check` is called under the lock and raises where the caller may not write any more.
    Raises as `check`, `read` and `write`."""
    with locks.held(folder.parent, f"{folder.name}.status"):
        check()
        document = {**(read(folder) or {}), **changes}
        write(folder, document)
    return document
