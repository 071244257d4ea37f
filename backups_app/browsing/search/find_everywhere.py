"""Looking for a literal in live data and in every backup, newest first, within a budget of time.

Each collection is searched by `search.find`. The same document (`_id` decides) is one result with its versions; a file
that a newer backup holds too is not read again. What could not be searched in time is searched by the next call.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pymongo.database import Database

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import live_data, opening
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.live_data import ReadableCollection
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.browsing.search import search, searched_files
from backups_app.browsing.search.everywhere import COLLECTION_LIMIT, LIVE, FindState, FoundDocument, FoundVersion
from backups_app.browsing.search.query import Query
from backups_app.browsing.search.search import Hit, Searchable
from backups_app.errors import (
    CollectionPreparing,
    DamagedDocument,
    DatabaseUnreachable,
    FileNotReadable,
    SearchBusy,
    TempleOpsError,
)
from backups_app.mongo import connections, raw_ids
from backups_app.records import Side

SECONDS = 1.2
FIRST_SECONDS = 0.8
"""The first answer is there within a second; the later ones do more at a time."""

LEAST_SECONDS = 0.05
HITS_AT_ONCE = 100

Opened = Callable[[str], Searchable | None]


def go_on(
    state: FindState,
    *,
    query: Query,
    store: Store,
    database: Database[Any] | None,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Search on from where `state` stands until `seconds` have passed or everything was searched, and note in it what
    was found. `database`: live data, or None where it cannot be asked.

    At least one block is searched, so that a caller who goes on always arrives. What cannot be read is noted and passed
    over. Raise `SearchBusy` when nothing could be searched because two other searches are running, and
    `DatabaseUnreachable` where only what is not live is wanted and nobody can know.
    """
    state.step, state.known_before = state.step + 1, len(state.documents)
    sweep = _Sweep(state, query, store, database, clock() + seconds, clock)
    with suppress(_TimeOver):
        sweep.run()


class _TimeOver(Exception):
    """The rest is for the next call."""


class _Sweep:
    """One call of the search."""

    def __init__(
        self,
        state: FindState,
        query: Query,
        store: Store,
        database: Database[Any] | None,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        self.state = state
        self._query = query
        self._store = store
        self._database = database
        self._deadline = deadline
        self._clock = clock
        self._worked = False
        self._digest = ""
        self._known = {_key(one.collection, one.raw_id, one.first_digest): one for one in state.documents}
        self._taken = Counter(one.collection for one in state.documents)

    def run(self) -> None:
        """Search source by source. Raise `_TimeOver` before the end."""
        state = self.state
        while not state.finished:
            if state.at != LIVE:
                self._search_backup(state.backups[state.at])
            elif state.step > 1 or state.ahead or not state.backups:
                self._search_live()
            elif not self._search_live_for_half_the_time():
                continue
            if state.is_full:
                return
            state.go_to_next()
            self._look_at_the_clock()

    def _search_live_for_half_the_time(self) -> bool:
        """Search live data in the first call; return whether it was searched to its end. Otherwise the newest backup is
        next: the first answer holds what it holds, however large live data is."""
        whole, began = self._deadline, self._clock()
        self._deadline = began + (whole - began) / 2
        try:
            self._search_live()
        except _TimeOver:
            if self.state.percent is None and self._worked:
                self.state.leave_live()
                self._worked = False
                return False
            raise
        finally:
            self._deadline = whole
        return True

    def _look_at_the_clock(self) -> None:
        if self._worked and self._clock() >= self._deadline:
            raise _TimeOver

    def _left(self) -> float:
        return max(LEAST_SECONDS, self._deadline - self._clock())

    def _search_live(self) -> None:
        if self.state.only_lost:
            return
        if self._database is None:
            self.state.skip(backup_id="", collection="", code=DatabaseUnreachable.code)
            return
        database = self._database
        try:
            names = live_data.names(database)
        except TempleOpsError as error:
            self.state.skip(backup_id="", collection="", code=error.code)
        else:
            self._search_each("", names, lambda name: ReadableCollection(database, name))

    def _search_backup(self, backup_id: str) -> None:
        try:
            backup = opening.open_backup(store=self._store, backup_id=backup_id)
        except (TempleOpsError, OSError) as error:
            self.state.skip(backup_id=backup_id, collection="", code=_code(error))
            return
        if not self.state.collection:
            for name, code in searched_files.not_searched(backup):
                self.state.skip(backup_id=backup_id, collection=name, code=code)
        self._search_each(backup_id, searched_files.names(backup), lambda name: self._file(backup, name))

    def _file(self, backup: OpenBackup, name: str) -> Searchable | None:
        """Return a collection's file, or None where a newer backup holds the same and was searched."""
        self._digest = _stream_digest(backup, name)
        known, at = self.state.last.get(name, ("", LIVE))
        if not self._digest or self._digest != known:
            return open_collection(backup=backup, collection=name, seconds=self._left())
        for one in self.state.documents:
            for version in one.versions if one.collection == name else ():
                if version.holds(at):
                    version.add(self.state.at)
                    one.seen_in = self.state.step
        self.state.last[name] = [known, self.state.at]
        return None

    def _search_each(self, backup_id: str, names: list[str], opened: Opened) -> None:
        """Search the collections in their order, from where the state stands. Name those that cannot be read."""
        state = self.state
        for name in names:
            if name < state.collection or name in state.full or state.is_full:
                continue
            if name != state.collection:
                state.collection, state.number = name, 0
            self._look_at_the_clock()
            try:
                self._search(backup_id, name, opened)
            except (CollectionPreparing, SearchBusy) as error:
                self._wait_for(error)
            except DatabaseUnreachable as error:
                if state.only_lost:
                    raise
                state.skip(backup_id=backup_id, collection="", code=error.code)
                return
            except (TempleOpsError, OSError) as error:
                state.skip(backup_id=backup_id, collection=name, code=_code(error))

    def _wait_for(self, error: TempleOpsError) -> None:
        """End this call: a foreign file is being prepared, or others search. Raise `SearchBusy` if nothing was done."""
        if isinstance(error, CollectionPreparing):
            self.state.percent = error.facts["percent"]
        elif not self._worked:
            raise error
        raise _TimeOver

    def _search(self, backup_id: str, name: str, opened: Opened) -> None:
        """Search one collection from `number` on. Raise `_TimeOver` before its end."""
        state = self.state
        state.percent, self._digest = None, ""
        source = opened(name)
        while source is not None:
            start = min(state.number, source.total)
            page = search.find(
                source, query=self._query, start=start, limit=HITS_AT_ONCE, seconds=self._left(), clock=self._clock
            )
            self._worked = True
            state.searched += max(0, page.searched - start)
            for hit in self._wanted(name, page.hits):
                self._take(name, hit)
            if page.broken_at is not None or page.unreadable:
                state.skip(backup_id=backup_id, collection=name, code=DamagedDocument.code)
            if name in state.full or state.is_full or page.broken_at is not None:
                return
            if page.next is None:
                if self._digest:
                    state.last[name] = [self._digest, state.at]
                return
            state.number = page.next
            self._look_at_the_clock()

    def _wanted(self, name: str, hits: Sequence[Hit]) -> Sequence[Hit]:
        """Leave out what is live, where only the rest is wanted."""
        if not self.state.only_lost or not hits:
            return hits
        if self._database is None:
            raise DatabaseUnreachable(side=Side.LOCAL.value)
        with connections.reachable(Side.LOCAL):
            live = live_data.present(self._database, collection=name, ids=[_raw_id(hit.frame) for hit in hits])
        return [hit for hit in hits if not _is_among(live, _raw_id(hit.frame))]

    def _take(self, name: str, hit: Hit) -> None:
        """Note one match: a new document, a new version of a known one, or a further backup that holds a known one."""
        state = self.state
        raw_id, digest = _raw_id(hit.frame), hashlib.blake2b(hit.frame, digest_size=12).hexdigest()
        key = _key(name, raw_id, digest)
        if key not in self._known:
            if name in state.full or state.is_full or not (raw_id or state.at != LIVE):
                return
            self._known[key] = FoundDocument(collection=name, raw_id=raw_id)
            state.documents.append(self._known[key])
            self._taken[name] += 1
            if self._taken[name] >= COLLECTION_LIMIT:
                state.full.append(name)
        self._note_place(self._known[key], digest, hit.number)

    def _note_place(self, known: FoundDocument, digest: str, number: int) -> None:
        known.seen_in = self.state.step
        if self.state.at == LIVE:
            known.live = True
            return
        version = next((one for one in known.versions if one.digest == digest), None)
        if version is None:
            version = FoundVersion(digest=digest, number=number, runs=[])
            known.versions.append(version)
        version.add(self.state.at)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, TempleOpsError) else FileNotReadable.code


def _is_among(keys: set[bytes], raw_id: bytes) -> bool:
    return bool(raw_id) and raw_ids.key(raw_id) in keys


def _raw_id(frame: bytes) -> bytes:
    try:
        return raw_ids.id_of(frame)
    except raw_ids.NoId:  # a foreign file may hold such a document: its bytes alone distinguish it from others
        return b""


def _key(collection: str, raw_id: bytes, digest: str) -> tuple[str, bytes]:
    return collection, raw_ids.key(raw_id) if raw_id else b"?" + digest.encode()


def _stream_digest(backup: OpenBackup, name: str) -> str:
    """Return the hash of a collection's uncompressed content; empty where nobody has verified it."""
    return backup.manifest.content_hash(name) if backup.verified else ""
