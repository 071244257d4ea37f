"""The built-in engine: what mongodump writes, without mongodump.

1. List the collections; write the metadata file of each.
2. On a replica set take one snapshot, and read every collection at it.
3. Copy the collections, the largest first, four at a time, each by a reading and a writing thread.
4. List again; write prelude.json, the mark of completion, last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

import pymongo
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app import threads
from backups_app.backup_files import durable, layout
from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.backup_files.durable import DurableFile
from backups_app.dump import failures
from backups_app.dump.base.base_state import BaseState, Changed
from backups_app.dump.report import DumpReport
from backups_app.dump.server import listing, snapshot
from backups_app.dump.server.listing import Listed
from backups_app.dump.server.snapshot import Snapshot
from backups_app.dump.worker_reports import WorkerReports
from backups_app.dump.writing import collection_copy, small_files, touched_copy
from backups_app.dump.writing.collection_copy import Copied, Stopped
from backups_app.dump.writing.touched_reading import EarlyReading
from backups_app.errors import DumpFailed, DumpTimedOut
from backups_app.messages import dump as messages
from backups_app.mongo import scanning
from backups_app.mongo.mongodump_process import ChildProcess
from backups_app.progress import Progress

Compression = Literal["none", "gzip"]

_WORTH_RESERVING, _LISTEN_SECONDS, _FAREWELL_SECONDS = 1024 * 1024, 0.1, 5
_CAPPED_POSITION_LOST, _CAPPED_ATTEMPTS = 136, 5
"""A busy capped collection may overwrite what a scan was about to read; the next scan may be luckier."""


@dataclass(frozen=True, kw_only=True)
class PythonDump:
    """Copies through pymongo. Satisfies `dump.engine.DumpEngine`."""

    compression: Compression = "none"
    parallel: int = 4
    snapshot_seconds: float = snapshot.LIFETIME_SECONDS

    @property
    def name(self) -> str:
        return "python"

    def version(self) -> str:
        return f"built-in, pymongo {pymongo.version}"

    def dump(
        self,
        *,
        database: Database[dict[str, Any]],
        uri: str,
        out: Path,
        excluded: frozenset[str],
        timeout_seconds: int,
        progress: Progress,
        on_child: Callable[[ChildProcess], None] | None = None,
        base: BaseState | None = None,
    ) -> DumpReport:
        """Copy `database` into `out/<database>/`, everything fsynced. Return what was copied and of which moment. Given
        a `base`, write of its collections what it does not hold, and beside it which of its documents are gone.

        Raise `DumpFailed`, `DumpTimedOut`, `DiskFull`, `FolderNotWritable`, `StorageFailed`, `DatabaseUnreachable`, or
        what progress raises. What lies in `out` then is no backup. There is no child to report.
        """
        deadline = time.monotonic() + timeout_seconds
        with failures.translated(), threads.prompt(), scanning.open_scan(uri) as client:
            run = _Run(self, client[database.name], out, progress, deadline, timeout_seconds, base)
            return run.make(excluded)


class _Run:
    """One dump while it runs. Workers only report; the listener hears it from the thread that called."""

    def __init__(
        self,
        engine: PythonDump,
        database: Database[dict[str, Any]],
        out: Path,
        progress: Progress,
        deadline: float,
        timeout_seconds: int,
        base: BaseState | None,
    ) -> None:
        self.engine = engine
        self.database = database
        self.folder = out / database.name
        self.progress = progress
        self.deadline = deadline
        self.timeout_seconds = timeout_seconds
        self.changed = Changed(base)
        self.compress = engine.compression == "gzip"
        self.stop = threading.Event()
        self.reports = WorkerReports(progress)
        self.outside: list[str] = []
        self.files: dict[str, str] = {}
        self.snapshot: Snapshot | None = None
        self.level = "local"

    def make(self, excluded: frozenset[str]) -> DumpReport:
        """Do the four steps and report."""
        hello = self.database.client.admin.command("hello")
        server_version = self.database.client.server_info()["version"]
        deleted_before = listing.deleted_so_far(self.database)
        listed = listing.listing(database=self.database, excluded=excluded)
        if not listed:
            raise DumpFailed(reason=messages.DATABASE_EMPTY(name=self.database.name))
        durable.make_directory(self.folder)
        small_files.write_all_metadata(
            self.folder, self.database, listed, compress=self.compress, checkpoint=self._checkpoint
        )
        self.snapshot = self._take_snapshot(hello, listed)
        by_ids = frozenset(one.info.name for one in listed if self.changed.goes_by_ids(one))
        with EarlyReading(database=self.database, moment=self.snapshot, names=by_ids) as self.early:
            self.changed.read_stream(
                self.database, checkpoint=self._checkpoint, moment=self.snapshot, hear=self.early.hear
            )
            copied = self._copy_all(listed)
        expected = tuple(one.info for one in listed)
        dumped = {name: each.documents for name, each in copied.items()}
        after = listing.collections_after_dump(
            database=self.database, excluded=excluded, before=expected, dumped=dumped
        )
        deleted_after = listing.deleted_so_far(self.database)
        changes = small_files.write_gone(self.folder.parent, self.files, copied)
        small_files.complete(self.folder, server=server_version, tool=self.engine.version(), compress=self.compress)
        started_at, finished_at = hello["localTime"].replace(tzinfo=UTC), snapshot.server_time(self.database)
        return DumpReport(
            engine=self.engine.name,
            engine_version=self.engine.version(),
            server_version=server_version,
            consistency=snapshot.consistency(
                self.snapshot, started_at, finished_at, outside=self.outside, of=len(self.files)
            ),
            expected=expected,
            after=after,
            deleted_meanwhile=listing.deleted_between(deleted_before, deleted_after),
            started_at=started_at,
            finished_at=finished_at,
            digests={self.files[name]: (one.size_bytes, one.sha256) for name, one in copied.items()},
            changes=changes,
            by_stream=self.changed.by_stream,
            notices=tuple(self.changed.notices),
        )

    def _take_snapshot(self, hello: dict[str, Any], listed: tuple[Listed, ...]) -> Snapshot | None:
        if "setName" not in hello:
            return None
        self.level = "majority"
        # Asked of an ordinary collection: no capped one can be read at a snapshot, not everybody may read buckets.
        ordinary = (one for one in listed if one.info.type == "collection" and not one.info.options.get("capped"))
        sources = [one.source for one in ordinary if one.source is not None]
        with self.database.client.start_session(causal_consistency=False) as session:
            return snapshot.take(
                self.database, sources=sources, session=session, lifetime_seconds=self.engine.snapshot_seconds
            )

    def _copy_all(self, listed: tuple[Listed, ...]) -> dict[str, Copied]:
        with_data = sorted((one for one in listed if one.source), key=lambda one: -(one.info.size_bytes or 0))
        for one in with_data:
            self.files[one.info.name] = self._data_path(one)
            self.progress.expect(one.info.name, one.info.documents or 0)
        pool = ThreadPoolExecutor(self.engine.parallel, thread_name_prefix="dump-read")
        names = {pool.submit(self._copy_one, one): one.info.name for one in with_data}
        done: SimpleQueue[Future[Copied]] = SimpleQueue()
        for future in names:
            future.add_done_callback(done.put)
        try:
            self._listen(done, len(names))
        except BaseException:
            self.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            # A worker may hang in a dead connection: it finds the flag set when it comes back, and writes no more.
            wait(names, timeout=_FAREWELL_SECONDS)
            raise
        pool.shutdown()
        return {name: future.result() for future, name in names.items()}

    def _listen(self, done: SimpleQueue[Future[Copied]], pending: int) -> None:
        while pending:
            with suppress(Empty):
                done.get(timeout=_LISTEN_SECONDS).result()
                pending -= 1
            self.reports.pass_on()
            self._checkpoint()

    def _checkpoint(self) -> None:
        self.progress.checkpoint()
        if time.monotonic() > self.deadline:
            raise DumpTimedOut(engine=messages.BUILT_IN_ENGINE(), seconds=self.timeout_seconds)

    def _copy_one(self, one: Listed) -> Copied:
        ids = self.changed.touched_ids(one)
        if ids is not None and self.snapshot is not None and not self.snapshot.expired:
            try:
                return self._scan(one, self.snapshot, self.changed.digests(one.info.name), ids)
            except touched_copy.CountDiffers:
                self.changed.count_differed(one.info.name)
                self._start_over(one)
            except snapshot.SnapshotExpired:
                self._start_over(one)
        copied = self._copy_as_it_is(one, self.changed.digests(one.info.name))
        if copied.changes is None or copied.changes.in_order or not one.info.options.get("capped"):
            return copied
        # The order of a capped collection is part of it, and laid over its base it would be another one.
        self._start_over(one)
        return self._copy_as_it_is(one, None)

    def _copy_as_it_is(self, one: Listed, base: BaseDigests | None) -> Copied:
        if self.snapshot is not None and not self.snapshot.expired:
            try:
                return self._scan(one, self.snapshot, base)
            except snapshot.SnapshotExpired:
                self._start_over(one)
            except OperationFailure as error:
                if not snapshot.is_gone(error):
                    raise
                self._start_over(one)
        if self.snapshot is not None and one.info.name not in self.outside:
            self.outside.append(one.info.name)
        for _ in range(_CAPPED_ATTEMPTS - 1):
            try:
                return self._scan(one, None, base)
            except OperationFailure as error:
                if error.code != _CAPPED_POSITION_LOST:
                    raise
                self._start_over(one)
        return self._scan(one, None, base)

    def _start_over(self, one: Listed) -> None:
        """Never resume a scan into the same file: it would have a hole or hold documents twice."""
        durable.remove_file(self.folder.parent / self.files[one.info.name])
        self.reports.take_back(one.info.name)

    def _scan(
        self,
        one: Listed,
        moment: Snapshot | None,
        base: BaseDigests | None,
        ids: Mapping[bytes, bytes] | None = None,
    ) -> Copied:
        name, size_bytes, documents = one.info.name, one.info.size_bytes or 0, one.info.documents or 0

        def checkpoint() -> None:
            if self.stop.is_set():
                raise Stopped
            if moment is not None and moment.expired:
                raise snapshot.SnapshotExpired

        checkpoint()
        reserved = 0 if self.compress or base is not None or size_bytes < _WORTH_RESERVING else size_bytes
        assert one.source is not None
        with self.database.client.start_session(causal_consistency=False) as session:
            same: dict[str, Any] = {
                "database": self.database,
                "source": one.source,
                "read_concern": moment.read_concern if moment else {"level": self.level},
                "session": session,
                "file": DurableFile(self.folder.parent / self.files[name], expected_bytes=reserved),
                "compress": self.compress,
                "checkpoint": checkpoint,
                "report": partial(self.reports.add, name),
                "base": base,
            }
            if ids is not None:
                answers = partial(self.early.answers, name, ids)
                return touched_copy.copy(is_counted=partial(self._is_counted, one), answers=answers, **same)
            return collection_copy.copy(average_bytes=size_bytes // max(documents, 1), **same)

    def _is_counted(self, one: Listed, in_base: int, found: int) -> bool:
        """Whether the server's counter, which was read when the collections were listed, confirms this number."""
        return self.changed.counters.confirm(
            self.database, name=one.info.name, in_base=in_base, before=one.info.documents, found=found
        )

    def _data_path(self, one: Listed) -> str:
        assert one.source is not None
        suffix = layout.DATA_SUFFIX + (layout.GZIP_SUFFIX if self.compress else "")
        return f"{self.database.name}/{layout.file_base(one.source)}{suffix}"
