"""The indexes of a dump by mongodump 2.x: one file, `system.indexes.bson`, holds those of all collections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from backups_app.backup_files import descent, file_names
from backups_app.backup_files.file_names import FileKind
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.reading import bson_frames, collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame, NotUtf8
from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as file_messages

_OPTIONS: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO, tz_aware=True)


def indexes_of(folder: Path, manifest: Manifest, collection: str) -> tuple[Mapping[str, Any], ...]:
    """Return the indexes of one collection; none where the backup has no such file. Raise `VerificationFailed` when it
    cannot be read."""
    path = next((name for name in manifest.files if _is_it(name)), None)
    if path is None:
        return ()
    try:
        return tuple(spec for spec in _read(folder, path) if _collection(spec) == collection)
    except (OSError, InvalidFrame, BSONError) as error:
        raise VerificationFailed(problem=file_messages.FILE_UNREADABLE(path=path)) from error


def _is_it(path: str) -> bool:
    name = path.rpartition("/")[2]
    return file_names.kind(name) is FileKind.DATA and file_names.is_system_indexes(name)


def _read(folder: Path, path: str) -> Iterator[Mapping[str, Any]]:
    with descent.open_file(folder, path) as file:
        for frame in bson_frames.frames(collection_reader.opened(file, name=path)):
            with suppress(NotUtf8):  # no server takes an index of such a name
                bson_frames.validate(frame)
                yield bson.decode(frame, _OPTIONS)


def _collection(spec: Mapping[str, Any]) -> str:
    """An index names its collection as `database.collection`; its key and its name are what makes it one."""
    complete = isinstance(spec.get("key"), Mapping) and isinstance(spec.get("name"), str)
    return str(spec.get("ns", "")).partition(".")[2] if complete else ""
