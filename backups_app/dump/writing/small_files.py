"""What a dump of the built-in engine writes beside the documents: options and indexes, lists of gone documents, and at
last the prelude, the mark of completion."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pymongo.database import Database

from backups_app.backup_files import durable, file_names, layout
from backups_app.backup_files.durable import DurableFile
from backups_app.backup_files.reading import gone_documents, gzip_members
from backups_app.dump.report import CollectionChanges
from backups_app.dump.server.listing import Listed
from backups_app.dump.writing import collection_metadata
from backups_app.dump.writing.collection_copy import Copied

MANY, AT_ONCE = 50, 8
"""Above so many collections their small files wait for the disk side by side, so many at once."""


def write_all_metadata(
    folder: Path, database: Database[Any], listed: Sequence[Listed], *, compress: bool, checkpoint: Callable[[], None]
) -> None:
    """Write the options and indexes of each collection. Raises as `write_metadata`, and what `checkpoint` raises."""
    if len(listed) <= MANY:
        for one in listed:
            checkpoint()
            write_metadata(folder, database, one, compress=compress)
        return
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dump-describe") as pool:
        written = [pool.submit(write_metadata, folder, database, one, compress=compress) for one in listed]
        try:
            for future in written:
                checkpoint()
                future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def write_metadata(folder: Path, database: Database[Any], listed: Listed, *, compress: bool) -> None:
    """Write the options and indexes of a collection. Raise `DumpFailed`, and pymongo's errors."""
    text = collection_metadata.text(database=database, listed=listed)
    name = layout.file_base(listed.info.name) + layout.COLLECTION_METADATA_SUFFIX
    _write(folder, name, text, compress=compress)


def write_gone(out: Path, files: Mapping[str, str], copied: Mapping[str, Copied]) -> dict[str, CollectionChanges]:
    """Write beside each data file of an incremental which documents of the base are gone. `files` are the paths below
    `out` by collection. Return the changes by collection; of a full backup there are none."""
    found = {}
    for name, one in copied.items():
        if one.changes is None:
            continue
        if one.changes.gone:
            gone_documents.write(DurableFile(out / file_names.gone_of(files[name])), one.changes.gone)
        found[name] = CollectionChanges(
            documents=one.documents,
            written=one.changes.written,
            gone=len(one.changes.gone),
            gone_bytes=one.changes.gone_bytes,
        )
    return found


def complete(folder: Path, *, server: str, tool: str, compress: bool) -> None:
    """Write the prelude, and make the folder durable."""
    prelude = {"ServerVersion": server, "ToolVersion": tool}
    _write(folder, layout.PRELUDE, json.dumps(prelude, separators=(",", ":")), compress=compress)
    durable.fsync_directory(folder)
    durable.fsync_directory(folder.parent)


def _write(folder: Path, name: str, text: str, *, compress: bool) -> None:
    data = text.encode()
    if compress:
        name, data = name + layout.GZIP_SUFFIX, gzip_members.member(data)
    with DurableFile(folder / name) as file:
        file.write(data)
