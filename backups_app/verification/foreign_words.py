"""The sentences about a dump that somebody else's mongodump wrote: what is left out, what is taken otherwise, and what
is odd about its documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backups_app.backup_files import collection_metadata
from backups_app.messages import verification as messages
from backups_app.verification import contents
from backups_app.verification.contents import DumpFolder
from backups_app.verification.file_scan import ScannedFile


def of_the_folder(held: DumpFolder) -> list[str]:
    """Return a sentence for everything beside the dump, and for every collection that lacks something."""
    packed = contents.is_packed(held)
    sentences = [*held.notes, *contents.stated_of(held.strays, database=held.database, packed=packed)]
    indexes = {name for name in held.others if contents.holds_indexes(name)}
    lacking = [one.name for one in held.collections if not one.metadata and not indexes]
    sentences += [messages.NO_METADATA(name=name) for name in lacking]
    empty = [one.name for one in held.collections if one.file is None and one.type != "view"]
    return sentences + [messages.NO_DOCUMENTS_FILE(name=name) for name in empty]


def of_the_indexes(folder: Path, held: DumpFolder) -> list[str]:
    """Return a sentence for each collection with an index that nobody can make. Raise `VerificationFailed` where what a
    metadata file says is not what BSON can hold: no restore could read it either."""
    sentences: list[str] = []
    for one in held.collections:
        if one.metadata is not None:
            stated = len(collection_metadata.read(folder, one.metadata).indexes)
            lost = stated - len(collection_metadata.described(folder, one.metadata).indexes)
            sentences += [messages.INDEXES_WITHOUT_NAME(name=one.name, count=lost)] if lost else []
    return sentences


def of_the_documents(scanned: Mapping[str, ScannedFile]) -> list[str]:
    """Return a sentence for the documents that a restore puts back with an `_id` of its own, and for marked texts."""
    sentences: list[str] = [
        messages.DOCUMENTS_WITHOUT_ID(name=name, count=result.without_id)
        for name, result in scanned.items()
        if result.without_id
    ]
    return sentences + [
        messages.TEXT_NOT_UTF8(name=name, n=result.not_utf8) for name, result in scanned.items() if result.not_utf8
    ]
