"""`.store_id`: which backup store this is, and the one database whose backups it holds.

4f0c…                     line 1: the id, made once
temple_db                 line 2: the database; absent in a store from before it was written
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backups_app.backup_files import descent, durable, layout, metadata
from backups_app.errors import TempleOpsError

_LONGEST = 4096


@dataclass(frozen=True, kw_only=True)
class Identity:
    """`database` is empty where the store names none."""

    id: str
    database: str

    def as_bytes(self) -> bytes:
        return "".join(f"{line}\n" for line in (self.id, self.database) if line).encode("utf-8", "surrogateescape")


def read(root: Path) -> Identity | None:
    """Return what `.store_id` says, or None where it is missing or empty. Raise `StorageFailed` and its kin."""
    try:
        with descent.open_file(root, layout.STORE_ID) as file:
            text = file.read(_LONGEST).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        durable.fail(error, path=root)
    store_id, _, database = text.strip().partition("\n")
    return Identity(id=store_id.strip(), database=database.strip()) if store_id else None


def make(root: Path, *, database: str) -> None:
    """Give a store its identity. One that another process gave it meanwhile stays."""
    fresh = Identity(id=secrets.token_hex(16), database=database)
    temporary = root / f"{layout.STORE_ID}.{fresh.id}"
    with durable.DurableFile(temporary) as file:
        file.write(fresh.as_bytes())
    try:
        durable.rename(temporary, root / layout.STORE_ID)
    except FileExistsError:
        temporary.unlink(missing_ok=True)


def name_database(root: Path, known: Identity, *, database: str) -> None:
    """Write down whose backups a store holds that did not say so. Its id stays."""
    durable.write_whole(root / layout.STORE_ID, Identity(id=known.id, database=database).as_bytes())


def databases(folders: Iterator[Path]) -> Iterator[str]:
    """Yield the database of each backup that we made, given their folders. What others dumped, and what cannot be read,
    belongs to nobody."""
    for folder in folders:
        try:
            written = metadata.read(folder) or {}
        except (TempleOpsError, OSError):
            continue
        manifest = written.get("manifest")
        if (
            isinstance(manifest, dict)
            and written.get("kind") != "foreign"
            and isinstance(manifest.get("database"), str)
        ):
            yield manifest["database"]
