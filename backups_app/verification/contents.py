"""What lies in a backup's folder, and the sentences about what does not belong there."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from backups_app.backup_files import dump_folder, file_names, layout
from backups_app.backup_files.dump_folder import DumpFolder, Held, Stray
from backups_app.backup_files.manifest import Manifest
from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as file_messages
from backups_app.messages import verification as messages

__all__ = ["DumpFolder", "Held", "holds_indexes", "is_packed", "look_beside", "stated_of", "survey", "unexpected"]

NAMED = 100
"""So many strays are named one by one: the sentences stand in the record of a restore and on its page."""


def survey(*, folder: Path, database: str) -> DumpFolder:
    """Given a backup's folder, return what it holds of `database`.

    Raise `VerificationFailed` for a link or special file where a collection's file should be, for a folder without
    that database, for a collection whose file is there twice, and for metadata that cannot be read.
    """
    held = dump_folder.read(folder, database=database)
    if held.problems:
        raise VerificationFailed(problem=held.problems[0])
    return held


def unexpected(held: DumpFolder) -> list[str]:
    """Return the paths of what a copy of our own making must not hold. Raise `VerificationFailed` for links and special
    files among them."""
    for stray in held.strays:
        if stray.kind not in ("file", "directory"):
            raise VerificationFailed(problem=file_messages.FILE_IS_LINK(path=dump_folder.readable_name(stray.path)))
    preludes = {dump_folder.below(held.database, name) for name in _PRELUDES}
    found = [*(stray.path for stray in held.strays), *(set(held.others) - preludes)]
    return sorted(map(dump_folder.readable_name, found))


def look_beside(*, folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """Given a published backup's manifest, return a sentence for whatever else lies in its folder. None of it is read,
    and none of it is a reason to refuse the backup."""
    if not manifest.root:
        return _look_beside(folder, manifest.database, manifest.files)
    expected = {manifest.root, *dump_folder.AT_THE_ROOT}
    names = [name for name in dump_folder.entries(folder) if name not in expected]
    strays = [Stray(name, kind=dump_folder.kind_of(folder / name)) for name in names]
    sentences = stated_of(strays, database=manifest.database, packed=_packed(manifest.files))
    inside = {name.removeprefix(f"{manifest.root}/") for name in manifest.files}
    return (*sentences, *_look_beside(folder / manifest.root, manifest.database, inside))


def _look_beside(folder: Path, database: str, files: Collection[str]) -> tuple[str, ...]:
    strays = [stray for stray in dump_folder.read(folder, database=database).strays if stray.path not in files]
    named = {*files, *(stray.path for stray in strays), *dump_folder.AT_THE_ROOT}
    inside = [dump_folder.below(database, name) for name in dump_folder.entries(folder / database)]
    named |= {file_names.digest_of(name) for name in files}
    others = [Stray(path, kind=dump_folder.kind_of(folder / path)) for path in inside if path not in named]
    return stated_of([*strays, *others], database=database, packed=_packed(files))


def stated_of(strays: Collection[Stray], *, database: str, packed: bool) -> tuple[str, ...]:
    """Return a sentence for each stray entry, each once; of more than a record can hold, the first and a count."""
    sentences = list(dict.fromkeys(_stated(stray, database, packed) for stray in strays))
    more = len(sentences) - NAMED
    return (*sentences[:NAMED], messages.MORE_NOT_PART_OF_THE_BACKUP(n=more)) if more > 0 else tuple(sentences)


def holds_indexes(path: str) -> bool:
    """Whether a file of a dump holds the indexes of all its collections, as mongodump 2.x wrote them."""
    name = path.rpartition("/")[2]
    return file_names.kind(name) is file_names.FileKind.DATA and file_names.is_system_indexes(name)


def is_packed(held: DumpFolder) -> bool:
    """Whether the files of a dump are compressed."""
    return _packed(held.files)


def _packed(files: Collection[str]) -> bool:
    return any(name.endswith(layout.GZIP_SUFFIX) for name in files)


def _stated(stray: Stray, database: str, packed: bool) -> str:
    is_directory = stray.kind == "directory"
    if stray.why and not is_directory:
        return stray.why
    effect = file_names.stock_effect(stray.path, database=database, packed=packed, is_directory=is_directory)
    sentences = stray.why or messages.NOT_PART_OF_THE_BACKUP(path=dump_folder.readable_name(stray.path))
    return messages.STRAY_WITH_EFFECT(what=sentences, effect=effect) if effect else sentences


_PRELUDES = (layout.PRELUDE, layout.PRELUDE + layout.GZIP_SUFFIX)
