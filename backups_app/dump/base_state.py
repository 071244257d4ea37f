"""What an incremental knows of the full backup that it begins from, and what the change stream told since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from backups_app.backup_files.base_digests import BaseDigests
from backups_app.dump import base_stream
from backups_app.dump.base_stream import StreamStart
from backups_app.dump.listing import Listed
from backups_app.messages import dump as messages
from backups_app.messages.message import Message
from backups_app.mongo.change_events import StreamBroken, Touched
from backups_app.records import INTERNAL


@dataclass(frozen=True, kw_only=True)
class BaseState:
    """`digests` and `uuids` by collection. `stream`: from where the change stream tells what changed; None where
    everything is read."""

    digests: Mapping[str, BaseDigests]
    uuids: Mapping[str, str] = field(default_factory=dict)
    stream: StreamStart | None = None


class Changed:
    """What an incremental found out about what changed, while it runs."""

    def __init__(self, base: BaseState | None) -> None:
        self._base = base or BaseState(digests={})
        self._touched: Touched | None = None
        self.told: list[Message] = []
        """Why something was read in full though there was a stream."""

    @property
    def by_stream(self) -> bool:
        return self._touched is not None

    def read_stream(self, database: Database[Any], *, checkpoint: Callable[[], None], snapshot: bool) -> None:
        """Read the change stream, after the snapshot was taken. Where it cannot tell, or there is no snapshot to read
        in, everything will be read."""
        if self._base.stream is None:
            return
        if not snapshot:
            self.told.append(messages.ALL_READ(reason=messages.NO_SNAPSHOT()))
            return
        try:
            self._touched = base_stream.read(database, self._base.stream, checkpoint=checkpoint)
        except StreamBroken as broken:
            self.told.append(messages.ALL_READ(reason=broken.args[0]))

    def digests(self, name: str) -> BaseDigests | None:
        return self._base.digests.get(name)

    def touched_ids(self, one: Listed) -> Mapping[bytes, bytes] | None:
        """Return the raw ids, by key, of the documents of a collection that the stream told of; None where all of it
        must be read: the stream tells nothing of it, or not everything."""
        name, options = one.info.name, one.info.options
        if self._touched is None or name in self._touched.whole or name in INTERNAL or name.startswith("system."):
            return None
        if one.info.type != "collection" or options.get("capped") or options.get("collation"):
            return None
        if not one.info.uuid or self._base.uuids.get(name) != one.info.uuid or name not in self._base.digests:
            return None
        return self._touched.ids.get(name, {})

    def count_differed(self, name: str) -> None:
        """Note that a collection had to be read after all."""
        self.told.append(messages.READ_FOR_ITS_COUNT(name=name))
