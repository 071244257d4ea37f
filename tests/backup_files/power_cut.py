"""What a disk may hold after the power went: a model of a file system that promises no more than POSIX does.

Replayed are the operations that `durable` recorded. A file's content is certain only as of its last fsync: what was
written later is absent, torn, zero, or there. A directory's entries are certain only as of the directory's last fsync:
of what happened later any part may have reached the disk, a rename before the data that it names.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backups_app.backup_files.durable import Operation


@dataclass(eq=False)
class _File:
    certain: bytes = b""
    newest: bytearray = field(default_factory=bytearray)


@dataclass(eq=False)
class _Directory:
    certain: dict[str, _File | _Directory] = field(default_factory=dict)
    newest: dict[str, _File | _Directory] = field(default_factory=dict)
    pending: list[dict[str, _File | _Directory | None]] = field(default_factory=list)

    def change(self, entries: dict[str, _File | _Directory | None]) -> None:
        """One atomic change of entries; None takes one away."""
        self.pending.append(entries)
        _apply(self.newest, entries)

    def fsync(self) -> None:
        self.certain, self.pending = dict(self.newest), []


class Disk:
    """The state of a disk after some operations, seen both from the running system and from after a cut."""

    def __init__(self, root: Path, operations: Sequence[Operation]) -> None:
        self._root_path = root
        self._root = _Directory()
        for operation in operations:
            self._replay(operation)

    def after_a_cut(self, target: Path, chance: random.Random) -> None:
        """Write one of the states that may be found after a cut to the empty directory `target`."""
        self._write(self._root, target, chance)

    def _replay(self, one: Operation) -> None:
        if one.kind in ("close", "forget_cached") or (one.path == self._root_path and one.kind == "mkdir"):
            return
        if one.kind == "fsync_directory":
            directory = self._find(one.path)
            if isinstance(directory, _Directory):  # the parent of our root is not in the model
                directory.fsync()
            return
        self._change(one)

    def _change(self, one: Operation) -> None:
        parent, name = self._find(one.path.parent), one.path.name
        assert isinstance(parent, _Directory)
        if one.kind == "mkdir":
            parent.change({name: _Directory()})
        elif one.kind == "create":
            parent.change({name: _File()})
        elif one.kind == "rename":
            assert one.target is not None
            assert one.target.parent == one.path.parent
            parent.change({name: None, one.target.name: parent.newest[name]})
        elif one.kind in ("unlink", "rmdir"):
            parent.change({name: None})
        else:
            file = parent.newest[name]
            assert isinstance(file, _File)
            _change_content(file, one)

    def _find(self, path: Path) -> _File | _Directory | None:
        if path != self._root_path and self._root_path not in path.parents:
            return None
        here: _File | _Directory = self._root
        for part in path.relative_to(self._root_path).parts:
            assert isinstance(here, _Directory)
            here = here.newest[part]
        return here

    def _write(self, directory: _Directory, target: Path, chance: random.Random) -> None:
        entries = dict(directory.certain)
        reached = [change for change in directory.pending if chance.random() < 0.5]
        if chance.random() < 0.5:
            chance.shuffle(reached)
        for change in reached:
            _apply(entries, change)
        for name, entry in entries.items():
            if isinstance(entry, _Directory):
                (target / name).mkdir(mode=0o700)
                self._write(entry, target / name, chance)
            else:
                (target / name).write_bytes(_content(entry, chance))
                (target / name).chmod(0o600)


def _apply(entries: dict[str, _File | _Directory], change: dict[str, _File | _Directory | None]) -> None:
    for name, entry in change.items():
        if entry is None:
            entries.pop(name, None)
        else:
            entries[name] = entry


def _change_content(file: _File, one: Operation) -> None:
    if one.kind == "write":
        file.newest[one.offset : one.offset + len(one.data)] = one.data
    elif one.kind == "truncate":
        missing = one.size - len(file.newest)
        file.newest = file.newest + b"\0" * missing if missing > 0 else file.newest[: one.size]
    else:
        assert one.kind == "fsync", one.kind
        file.certain = bytes(file.newest)


def _content(file: _File, chance: random.Random) -> bytes:
    newest = bytes(file.newest)
    if newest == file.certain:
        return newest
    torn = newest[: chance.randrange(len(newest) + 1)]
    return chance.choice([file.certain, newest, torn, b"\0" * len(newest), torn + b"\0" * (len(newest) - len(torn))])
