"""Touched documents, read in the snapshot while the change stream is still being read: the server does both at once."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.dump.server.snapshot import Snapshot
from backups_app.mongo import raw_ids, scanning
from backups_app.mongo.change_events import Touched
from backups_app.mongo.exact_writes import filters

AT_ONCE = 1_000
"""So many documents are asked for in one question."""
MOST_BYTES = 32 * 1024 * 1024
"""So much that was read early is in memory at most; the rest is read when it is written."""

Ids = Mapping[bytes, bytes]
Frames = dict[bytes, bytes]


class EarlyReading:
    """Reads what the stream reports of the collections `names`, in one thread of its own, until the block ends. What it
    did not read, or could not, is read when it is written."""

    def __init__(self, *, database: Database[Any], moment: Snapshot | None, names: frozenset[str]) -> None:
        self._database, self._moment = database, moment
        self._names = names if moment is not None else frozenset()
        self._parts: dict[str, deque[tuple[Ids, Future[Frames | None]]]] = {name: deque() for name in names}
        self._begun: dict[str, int] = dict.fromkeys(names, 0)
        self._bytes = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dump-early")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)  # it may hang in a dead connection

    def hear(self, touched: Touched) -> None:
        """Begin to read what the stream has reported since the last time."""
        for name in self._names & (touched.ids.keys() - touched.whole):
            ids = touched.ids[name]
            while len(ids) - self._begun[name] >= AT_ONCE and self._bytes < MOST_BYTES:
                part = dict(itertools.islice(ids.items(), self._begun[name], self._begun[name] + AT_ONCE))
                self._begun[name] += AT_ONCE
                self._parts[name].append((part, self._pool.submit(self._take, name, part)))

    def answers(self, name: str, ids: Ids, *, read: Callable[[Ids], Frames]) -> Iterator[tuple[Ids, Frames]]:
        """Yield all `ids` of a collection in parts, each with its documents that are there, by key. What was not read
        early is read by `read`, whose errors are raised."""
        parts = self._parts.get(name, deque())
        while parts:
            part, coming = parts.popleft()
            found = coming.result()
            yield part, read(part) if found is None else found
        rest = itertools.islice(ids.items(), self._begun.get(name, 0), None)
        while part := dict(itertools.islice(rest, AT_ONCE)):
            yield part, read(part)

    def _take(self, name: str, part: Ids) -> Frames | None:
        assert self._moment is not None
        if self._bytes >= MOST_BYTES or self._moment.expired:
            return None
        try:
            with self._database.client.start_session(causal_consistency=False) as session:
                found = by_ids(self._database, name, part, read_concern=self._moment.read_concern, session=session)
        except PyMongoError:
            return None
        self._bytes += sum(map(len, found.values()))
        return found


def by_ids(
    database: Database[Any], source: str, ids: Ids, *, read_concern: Mapping[str, Any], session: ClientSession
) -> Frames:
    """Return the documents of these ids that are there, by key. Raise pymongo's errors."""
    command = {
        "find": source,
        "filter": filters.by_ids(list(ids.values())),
        "batchSize": len(ids) + 1,
        "readConcern": dict(read_concern),
    }
    found: Frames = {}
    for batch in scanning.batches(database, command, session=session):
        frames = scanning.copies(batch.array)
        found.update((key, frame) for key, frame in zip(raw_ids.keys_of(frames), frames, strict=True) if key in ids)
    return found
