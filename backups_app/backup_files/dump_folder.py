"""What lies in a backup's folder: one reading of it for verifying, browsing and restoring, ours or somebody else's.

It looks at names, kinds of files and the small metadata files; no document is read. Nothing is refused here: what
makes a folder unusable is among `problems`, what stands beside the dump among `left_out`, each with its reason.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from backups_app.backup_files import collection_metadata, durable, file_names, layout
from backups_app.backup_files.collection_metadata import CollectionMetadata
from backups_app.backup_files.file_names import FileKind
from backups_app.messages import backup_files as messages

AT_THE_ROOT = frozenset({layout.METADATA, durable.temporary_name(layout.METADATA), layout.ORIGINAL_METADATA})
"""What changes after the backup was published: its status, and what a crash in the middle of that leaves; of a fetched
backup its status elsewhere."""

SERVERS_OWN = frozenset({"admin", "config", "local"})
"""Databases that every server has, and that no temple keeps its bookings in."""


_OPLOG = messages.OPLOG_LEFT_OUT()


@dataclass(frozen=True, kw_only=True)
class Held:
    """One collection as the folder shows it; the paths are below the backup's folder."""

    name: str
    type: str
    uuid: str
    file: str | None
    metadata: str | None


@dataclass(frozen=True)
class Stray:
    """What lies in the folder and is not read; `why` is a sentence where there is more to say than that. `kind` is what
    `kind_of` returns."""

    path: str
    why: str = ""
    kind: str = "file"


@dataclass(frozen=True, kw_only=True)
class DumpFolder:
    """`database` is the directory that was read, `""` where the dump lies at the folder's top. `others` belong to the
    dump but to no collection, `strays` to neither. `notes` are sentences about what was taken otherwise than it stands.
    `problems` say why the folder cannot be used as a whole."""

    database: str
    collections: tuple[Held, ...]
    others: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def files(self) -> frozenset[str]:
        """Every file that is part of the dump."""
        of_collections = (path for one in self.collections for path in (one.file, one.metadata) if path)
        return frozenset((*of_collections, *self.others))


def read(folder: Path, *, database: str) -> DumpFolder:
    """Given a backup's folder and a directory in it, return what it holds of that database."""
    reading = _FolderReading(folder, database)
    reading.sort()
    return reading.result()


def choose(folder: Path, *, preferred: str) -> str:
    """Return the database of a folder that others wrote: the preferred one if it is there, else the one with the most
    files of a dump; the server's own databases come last."""
    found = databases(folder)
    if preferred in found:
        return preferred
    return max(found, key=lambda name: (name not in SERVERS_OWN, found[name], name != ""), default="")


def databases(folder: Path) -> dict[str, int]:
    """Return the databases of the folder by the number of their files; `""` is a dump at the folder's top."""
    inside = [name for name in entries(folder) if kind_of(folder / name) == "directory"]
    counted = {name: sum(map(file_names.is_of_a_dump, entries(folder / name))) for name in inside}
    at_the_top = sum(file_names.is_of_a_dump(name) and not file_names.is_oplog(name) for name in entries(folder))
    return {name: count for name, count in {**counted, "": at_the_top}.items() if count}


def below(database: str, name: str) -> str:
    """Return the path of a database's file below the backup's folder."""
    return f"{database}/{name}" if database else name


def readable_name(name: str) -> str:
    """Return a file's name as text that can be written: names on a disk are bytes, and need not be UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def entries(folder: Path) -> list[str]:
    """Return the names in a directory, in order; none where it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError:
        return []


def kind_of(path: Path) -> str:
    """Return `file`, `directory`, `link` or `other`; `""` for what is not there."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return ""
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "other")


class _FolderReading:
    """One look at a folder."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder, self._database = folder, database
        self._where = folder / database if database else folder
        self._data: dict[str, str] = {}
        self._metadata: dict[str, str] = {}
        self._beside: set[str] = set()
        self._held: list[Held] = []
        self._others: list[str] = []
        self._strays: list[Stray] = []
        self._notes: list[str] = []
        self._problems: list[str] = []

    def result(self) -> DumpFolder:
        return DumpFolder(
            database=self._database,
            collections=tuple(sorted(self._held, key=lambda one: one.name)),
            others=tuple(sorted(self._others)),
            strays=tuple(self._strays),
            notes=tuple(self._notes),
            problems=tuple(self._problems),
        )

    def sort(self) -> None:
        """Look at every name: first those beside the database, then those in it, then join what belongs together."""
        if kind_of(self._where) != "directory":
            self._problems.append(messages.NO_DATABASE_FOLDER(database=self._database))
        elif not os.access(self._where, os.R_OK | os.X_OK):
            self._problems.append(messages.FOLDER_UNREADABLE())
        if self._database:
            self._look_beside()
        for name in entries(self._where) if not self._problems else ():
            if self._database or name not in AT_THE_ROOT:
                self._look_at(name)
        self._join()

    def _look_beside(self) -> None:
        found = databases(self._folder)
        for name in entries(self._folder):
            if name == self._database or name in AT_THE_ROOT:
                continue
            plain = kind_of(self._folder / name)
            if plain == "file" and file_names.kind(name) is FileKind.PRELUDE:
                self._others.append(name)
            elif plain == "directory" and name in found and file_names.is_database(name):
                left_out = messages.OTHER_DATABASE_LEFT_OUT(name=readable_name(name), database=self._database)
                self._strays.append(Stray(name, left_out, plain))
            else:
                why = _OPLOG if plain == "file" and file_names.is_oplog(name) else ""
                self._strays.append(Stray(name, why, plain))

    def _look_at(self, name: str) -> None:
        path, kind = below(self._database, name), file_names.kind(name)
        plain = kind_of(self._where / name)
        if plain != "file" or kind is FileKind.UNKNOWN:
            self._strays.append(Stray(path, kind=plain))
            if plain not in ("file", "directory") and kind in (FileKind.DATA, FileKind.METADATA):
                self._problems.append(messages.FILE_IS_LINK(path=readable_name(path)))
        elif kind is FileKind.PRELUDE or (kind is FileKind.DATA and file_names.is_system_indexes(name)):
            self._others.append(path)
        elif kind is FileKind.BESIDE:
            self._beside.add(path)
        elif not self._database and file_names.is_oplog(name):
            self._strays.append(Stray(path, _OPLOG))
        else:
            self._take(name, self._data if kind is FileKind.DATA else self._metadata)

    def _take(self, name: str, into: dict[str, str]) -> None:
        base = file_names.base(name)
        if base in into:
            self._problems.append(messages.FILE_TWICE(path=readable_name(file_names.without_gzip(name))))
        into[base] = name

    def _join(self) -> None:
        packed = {name.endswith(layout.GZIP_SUFFIX) for name in (*self._data.values(), *self._metadata.values())}
        if len(packed) > 1:
            self._problems.append(messages.PLAIN_AND_COMPRESSED_MIXED())
        for base in sorted(self._metadata):
            self._described(base)
        for base in sorted(self._data):
            self._undescribed(base)
        if len({one.name for one in self._held}) != len(self._held):
            self._problems.append(messages.TWO_FILES_OF_ONE_COLLECTION())
        files = [one.file for one in self._held if one.file]
        ours = {file + layout.INDEX_SUFFIX for file in files}
        ours |= {*map(file_names.digest_of, files), *map(file_names.gone_of, files)}
        self._strays += [Stray(path) for path in sorted(self._beside - ours)]

    def _described(self, base: str) -> None:
        """Join a metadata file with its data file, which is taken out of those that wait."""
        path = below(self._database, self._metadata[base])
        known = collection_metadata.read(self._folder, path)
        name = layout.collection_name(base=base, stated=known.name)
        if known.problem and not file_names.why_never_restored(name):
            self._problems.append(messages.FILE_UNREADABLE(path=readable_name(path)))
        file = None
        if known.type == "timeseries":
            file = self._data.pop(layout.file_base(layout.BUCKETS_PREFIX + name), None)
        if file is None and known.type != "view":
            file = self._data.pop(base, None)
        self._hold(name, known, file=file, metadata=self._metadata[base])

    def _undescribed(self, base: str) -> None:
        """Buckets whose time-series is not described become a plain collection of its name, as for mongorestore."""
        name = layout.collection_name(base=base, stated=None)
        series = name.removeprefix(layout.BUCKETS_PREFIX)
        taken = {one.name for one in self._held} | {layout.collection_name(base=one, stated=None) for one in self._data}
        if series not in taken and series:
            self._notes.append(messages.TIME_SERIES_BUCKETS_ONLY(series=series))
            name = series
        self._hold(name, CollectionMetadata(), file=self._data[base], metadata=None)

    def _hold(self, name: str, known: CollectionMetadata, *, file: str | None, metadata: str | None) -> None:
        paths = [None if one is None else below(self._database, one) for one in (file, metadata)]
        if why := file_names.why_never_restored(name):
            self._strays += [
                Stray(path, messages.COLLECTION_LEFT_OUT(name=readable_name(name or path), reason=why))
                for path in paths
                if path
            ]
            return
        self._held.append(Held(name=name, type=known.type, uuid=known.uuid, file=paths[0], metadata=paths[1]))
