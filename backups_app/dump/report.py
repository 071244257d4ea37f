"""What a dump engine reports the copy that it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backups_app.messages.message import Message
from backups_app.records import CollectionInfo


@dataclass(frozen=True, kw_only=True)
class CollectionChanges:
    """How one collection of an incremental differs from its base: `documents` is the whole state, `written` of them
    are new or changed; `gone` counts the base's documents that were deleted or replaced, `gone_bytes` theirs."""

    documents: int
    written: int
    gone: int
    gone_bytes: int


@dataclass(frozen=True, kw_only=True)
class DumpReport:
    """`expected` is what the database held before, `after` what it held afterwards; between the two this server
    deleted `deleted_meanwhile` documents (None: it would not say).

    `consistency` says of which moment the copy is: `{"kind": "snapshot", "at": …}`, with `"outside_snapshot": [names],
    "from": …, "to": …` for collections that could not be read at it (capped ones), or `{"kind": "per_collection",
    "from": …, "to": …}`; moments are ISO 8601 in UTC. `digests` are (bytes, SHA-256) of each data file as it left our
    hands, by its path below the folder; mongodump says none. `changes` are there for an incremental: the collections
    that are laid over a file of its base; `by_stream`: whether a change stream reported what was to be read, and
    `notices` why it could not.
    """

    engine: str
    engine_version: str
    server_version: str
    consistency: dict[str, Any]
    expected: tuple[CollectionInfo, ...]
    after: tuple[CollectionInfo, ...]
    deleted_meanwhile: int | None
    started_at: datetime
    finished_at: datetime
    digests: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    changes: Mapping[str, CollectionChanges] = field(default_factory=dict)
    by_stream: bool = False
    notices: tuple[Message, ...] = ()
