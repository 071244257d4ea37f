"""What an incremental knows of the full backup that it begins from, and what the change stream reported since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.dump.base import base_stream
from backups_app.dump.base.base_stream import StreamStart
from backups_app.dump.server.counters import Counters
from backups_app.dump.server.listing import Listed
from backups_app.dump.server.snapshot import Snapshot
from backups_app.messages import dump as messages
from backups_app.messages.message import Message
from backups_app.mongo.change_events import StreamBroken, Touched
from backups_app.records import INTERNAL


@dataclass(frozen=True, kw_only=True)
class BaseState:
    """`digests` and `uuids` by collection. `stream`: from where the change stream says what changed; None where
    everything is read. `counters`: what the server's own counters stated when the base was made."""

    digests: Mapping[str, BaseDigests]
    uuids: Mapping[str, str] = field(default_factory=dict)
    stream: StreamStart | None = None
    counters: Counters = field(default_factory=Counters)


class Changed:
    """What an incremental found out about what changed, while it runs."""

    def __init__(self, base: BaseState | None) -> None:
        self._base = base or BaseState(digests={})
        self._touched: Touched | None = None
        self.notices: list[Message] = []
        """Why something was read in full though there was a stream."""

    @property
    def by_stream(self) -> bool:
        return self._touched is not None

    def read_stream(
        self,
        database: Database[Any],
        *,
        checkpoint: Callable[[], None],
        moment: Snapshot | None,
        hear: Callable[[Touched], None] = lambda _: None,
    ) -> None:
        """Read the change stream, after the snapshot was taken. Where it cannot know, or there is no snapshot to read
        in, everything will be read. `hear` is given what is known so far."""
        if self._base.stream is None:
            return
        if moment is None:
            self.notices.append(messages.ALL_READ(reason=messages.NO_SNAPSHOT()))
            return
        try:
            self._touched = base_stream.read(database, self._base.stream, checkpoint=checkpoint, hear=hear)
        except StreamBroken as broken:
            self.notices.append(messages.ALL_READ(reason=broken.args[0]))

    def digests(self, name: str) -> BaseDigests | None:
        return self._base.digests.get(name)

    def touched_ids(self, one: Listed) -> Mapping[bytes, bytes] | None:
        """Return the raw ids, by key, of the documents of a collection that the stream reported; None where all of it
        must be read: the stream says nothing of it, or not everything."""
        name = one.info.name
        if self._touched is None or name in self._touched.whole or not self.goes_by_ids(one):
            return None
        return self._touched.ids.get(name, {})

    def goes_by_ids(self, one: Listed) -> bool:
        """Whether of this collection the touched documents alone may be read, as far as the stream reports them all."""
        name, options = one.info.name, one.info.options
        if self._base.stream is None or name in INTERNAL or name.startswith("system."):
            return False
        if one.info.type != "collection" or options.get("capped") or options.get("collation"):
            return False
        return bool(one.info.uuid) and self._base.uuids.get(name) == one.info.uuid and name in self._base.digests

    @property
    def counters(self) -> Counters:
        return self._base.counters

    def count_differed(self, name: str) -> None:
        """Note that a collection had to be read after all."""
        self.notices.append(messages.READ_FOR_ITS_COUNT(name=name))
