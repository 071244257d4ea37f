"""What the `.metadata.json` of a collection says: its type, options and indexes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups_app.backup_files import collection_reader, descent
from backups_app.backup_files.bson_frames import InvalidFrame
from backups_app.errors import VerificationFailed

_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class CollectionMetadata:
    """`indexes` and `options` are as in the file (Extended JSON); `problem` says why they could not be read."""

    name: str | None = None
    type: str = "collection"
    uuid: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Mapping[str, Any], ...] = ()
    problem: str = ""


def read(folder: Path, relative: str | None) -> CollectionMetadata:
    """Return what the file says; a missing or empty one says nothing, a damaged one has a `problem`."""
    if relative is None:
        return CollectionMetadata()
    try:
        with descent.open_file(folder, relative) as file:
            raw = collection_reader.opened(file, name=relative).read(_LARGEST)
        document = json.loads(raw) if raw else {}
    except FileNotFoundError:
        return CollectionMetadata(problem="its metadata file is missing")
    except (OSError, VerificationFailed, InvalidFrame, ValueError, RecursionError):
        return CollectionMetadata(problem="its metadata file cannot be read")
    if not isinstance(document, dict):
        return CollectionMetadata(problem="its metadata file is not a JSON object")
    return _interpreted(document)


def _interpreted(document: Mapping[str, Any]) -> CollectionMetadata:
    options = document.get("options") or {}
    name, stated = document.get("collectionName"), document.get("type")
    kind = stated if stated in ("view", "timeseries") else "collection"
    if isinstance(options, dict) and "viewOn" in options:
        kind = "view"
    if isinstance(options, dict) and "timeseries" in options:
        kind = "timeseries"
    return CollectionMetadata(
        name=name if isinstance(name, str) else None,
        type=kind,
        uuid=str(document.get("uuid") or ""),
        options=options if isinstance(options, dict) else {},
        indexes=tuple(index for index in document.get("indexes") or () if isinstance(index, dict)),
    )
