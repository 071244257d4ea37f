"""The real mongodump: started safely, watched, and never trusted without reading what it wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo.database import Database

from backups_app import formats
from backups_app.backup_files import durable, layout
from backups_app.dump import failures
from backups_app.dump.report import DumpReport
from backups_app.dump.server import listing
from backups_app.errors import (
    DatabaseHostUnknown,
    DatabaseLoginMissing,
    DatabaseLoginRefused,
    DatabaseTlsFailed,
    DatabaseUnreachable,
    DiskFull,
    DumpFailed,
    DumpTimedOut,
    FolderNotWritable,
)
from backups_app.messages import dump as messages
from backups_app.messages import mongo as mongo_messages
from backups_app.mongo import mongodump_process, scanning
from backups_app.mongo.mongodump_process import ChildProcess, Ended, TimeLimit
from backups_app.mongo.refusals import refusals
from backups_app.progress import Progress
from backups_app.records import CollectionInfo, Side

_NOT_OBEYED = frozenset({"readpreference", "readpreferencetags", "maxstalenessseconds", "timeoutms"})
_OUTSIDE_MECHANISMS = frozenset({"MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC", "GSSAPI"})
_SERVER = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]):\d{2,5}\b")
_UNREACHABLE = ("failed to connect", "server selection error", "could not connect")
_NAMED: tuple[tuple[re.Pattern[str], Callable[..., DatabaseUnreachable]], ...] = (
    (re.compile(r"auth error|AuthenticationFailed|MechanismUnavailable"), DatabaseLoginRefused),
    (re.compile(r"requires authentication"), DatabaseLoginMissing),
    (re.compile(r"no such host|server misbehaving|: lookup "), DatabaseHostUnknown),
    (re.compile(r"x509: |tls: "), partial(DatabaseTlsFailed, reason=mongo_messages.CONNECTION_BROKEN_OFF())),
)
"""How mongodump says what pymongo's errors are named for, for the one who changes a password while a copy begins."""
_PATH = re.compile(r"(?<![\w/.])/(?:[^\s:'\"`]+/)*[^\s:'\"`]+")


@dataclass(frozen=True, kw_only=True)
class Mongodump:
    """Copies with the mongodump at `program`. Satisfies `dump.engine.DumpEngine`."""

    program: Path
    compression: str = "none"

    @property
    def name(self) -> str:
        return "mongodump"

    def version(self) -> str:
        return mongodump_process.version(self.program)

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
    ) -> DumpReport:
        """Copy `database` into `out/<database>/`, everything fsynced. `on_child` hears which process does it.

        Raise `DumpFailed`, `DumpTimedOut`, `DiskFull`, `FolderNotWritable`, `StorageFailed`, `DatabaseUnreachable`, or
        what progress raises; mongodump and all that it started have ended then.
        """
        with failures.translated(), scanning.open_scan(uri) as client:
            reading = client[database.name]
            hello = client.admin.command("hello")
            deleted_before = listing.deleted_so_far(reading)
            expected = listing.collections(database=reading, excluded=excluded)
            watch = _Watch(database.name, expected, progress)
            self._run(database.name, uri, out, excluded, timeout_seconds, watch, on_child)
            _check_produced(out / database.name, expected)
            durable.sync_tree(out)
            after = listing.collections_after_dump(
                database=reading, excluded=excluded, before=expected, dumped=watch.done
            )
            finished_at = client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
            started_at = hello["localTime"].replace(tzinfo=UTC)
            return DumpReport(
                engine=self.name,
                engine_version=self.version(),
                server_version=client.server_info()["version"],
                consistency=_consistency(started_at, finished_at),
                expected=expected,
                after=after,
                deleted_meanwhile=listing.deleted_between(deleted_before, listing.deleted_so_far(reading)),
                started_at=started_at,
                finished_at=finished_at,
            )

    def command(self, *, database: str, out: Path, excluded: frozenset[str]) -> list[str]:
        """Return the command line. It holds no secret: the URI comes by a pipe."""
        return [
            str(self.program),
            f"--db={database}",
            f"--out={out}",
            *(f"--excludeCollection={name}" for name in sorted(excluded)),
            *(["--gzip"] if self.compression == "gzip" else []),
        ]

    def _run(
        self,
        database: str,
        uri: str,
        out: Path,
        excluded: frozenset[str],
        timeout_seconds: int,
        watch: _Watch,
        on_child: Callable[[ChildProcess], None] | None,
    ) -> None:
        try:
            ended = mongodump_process.run(
                command=self.command(database=database, out=out, excluded=excluded),
                uri=uri_for_tool(uri, database=database),
                seconds=timeout_seconds,
                on_line=watch.line,
                checkpoint=watch.progress.checkpoint,
                on_child=on_child,
            )
        except TimeLimit as error:
            raise DumpTimedOut(engine="mongodump", seconds=timeout_seconds) from error
        except OSError as error:
            raise DumpFailed(reason=messages.MONGODUMP_NOT_STARTED()) from error
        if ended.code != 0:
            raise _failure(ended)


def uri_for_tool(uri: str, *, database: str) -> str:
    """Given the URI of the settings, return what mongodump is to use: reads from the primary, and no database in the
    path, which it would not take beside `--db`; the login stays in the database where drivers look for it."""
    address, _, query = uri.partition("?")
    scheme, _, rest = address.partition("://")
    servers, _, path = rest.rpartition("/") if "/" in rest.rpartition("@")[2] else (rest, "", "")
    options = [option for option in query.split("&") if option and option.partition("=")[0].lower() not in _NOT_OBEYED]
    named = {option.partition("=")[0].lower(): option.partition("=")[2] for option in options}
    if "@" in servers and "authsource" not in named:
        # Left out, mongodump would look for the user in the database of `--db`, unlike every driver.
        outside = named.get("authmechanism", "").upper() in _OUTSIDE_MECHANISMS
        options.append(f"authSource={quote('$external' if outside else path or 'admin', safe='')}")
    options.append("readPreference=primary")
    return f"{scheme}://{servers}/?{'&'.join(options)}"


class _Watch:
    """Hears mongodump's log: `[####....]  db.name  101/1000  (10.1%)` and `done dumping db.name (1000 documents)`.

    The first is for the person who waits; the second only says where to count again. Neither is trusted.
    """

    _BAR = re.compile(r"\s(\d+)/(\d+)\s+\(\d")
    _DONE = re.compile(r"done dumping (.+) \((\d+) documents?\)")

    def __init__(self, database: str, expected: Sequence[CollectionInfo], progress: Progress) -> None:
        self.progress = progress
        self.done: dict[str, int] = {}
        self._reported: dict[str, int] = {}
        self._names = {f"{database}.{info.name}": info.name for info in expected}
        self._names |= {f"{database}.{layout.BUCKETS_PREFIX}{info.name}": info.name for info in expected}
        for info in expected:
            if info.documents is not None:
                progress.expect(info.name, info.documents)

    def line(self, line: str) -> None:
        """Take note of one line, or pass it on as a note."""
        done = self._DONE.search(line)
        if done is not None:
            name = self._names.get(done.group(1).strip('`"'))
            if name is not None:
                self.done[name] = int(done.group(2))
                self._reached(name, int(done.group(2)))
            return
        bar = self._BAR.search(line)
        if bar is not None:
            for namespace in line[: bar.start()].split("\t")[-1:]:
                name = self._names.get(namespace.rpartition("  ")[2].strip().strip('`"'))
                if name is not None:
                    self._reached(name, int(bar.group(1)))
            return
        self.progress.note(_PATH.sub("…", line.partition("\t")[2] or line))

    def _reached(self, name: str, count: int) -> None:
        before = self._reported.get(name, 0)
        if count > before:
            self._reported[name] = count
            self.progress.advance(name, count - before)


def _check_produced(folder: Path, expected: Sequence[CollectionInfo]) -> None:
    """mongodump ends with 0 also when the database or a collection was not there."""
    if not folder.is_dir():
        raise DumpFailed(reason=messages.MONGODUMP_WROTE_NOTHING())
    names = {entry.name.removesuffix(layout.GZIP_SUFFIX) for entry in folder.iterdir()}
    for info in expected:
        source = layout.BUCKETS_PREFIX + info.name if info.type == listing.TIMESERIES else info.name
        wanted = {layout.file_base(info.name) + layout.COLLECTION_METADATA_SUFFIX}
        if info.type != listing.VIEW:
            wanted.add(layout.file_base(source) + layout.DATA_SUFFIX)
        if not wanted <= names:
            raise DumpFailed(reason=messages.MONGODUMP_SKIPPED_COLLECTION(name=info.name))


def _failure(ended: Ended) -> Exception:
    """Name what went wrong, from the exit code and the last line that says `Failed`. No path, no host is repeated."""
    message = next((line for line in reversed(ended.lines) if "Failed" in line or "error" in line), "")
    text = _SERVER.sub("…", _PATH.sub("…", message.partition("\t")[2] or message))[:300]
    facts = {"side": Side.LOCAL.value, "variable": refusals.VARIABLE[Side.LOCAL]}
    if named := next((kind(**facts) for words, kind in _NAMED if words.search(message)), None):
        return named
    if any(words in text for words in _UNREACHABLE):
        return DatabaseUnreachable(side=Side.LOCAL.value)
    if "not authorized" in text or "Unauthorized" in text:
        return DumpFailed(reason=failures.LACKS_RIGHTS)
    if "no space left" in text or "disk quota" in text:
        return DiskFull(needed=messages.MORE_SPACE(), free=formats.size(0))
    if "permission denied" in text or "read-only file system" in text:
        return FolderNotWritable(errno_name="EACCES")
    if ended.code < 0:
        signal = str(-ended.code)
        silent, saying = messages.MONGODUMP_KILLED(signal=signal), messages.MONGODUMP_KILLED_SAYING
        return DumpFailed(reason=saying(signal=signal, output=text) if text else silent)
    code = str(ended.code)
    silent, saying = messages.MONGODUMP_ENDED(code=code), messages.MONGODUMP_ENDED_SAYING
    return DumpFailed(reason=saying(code=code, output=text) if text else silent)


def _consistency(started_at: datetime, finished_at: datetime) -> dict[str, Any]:
    return {"kind": "per_collection", "from": formats.utc(started_at), "to": formats.utc(finished_at)}
