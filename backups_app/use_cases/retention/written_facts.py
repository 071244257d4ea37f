"""What retention needs of each `metadata.json`, read again only where that is another file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from backups_app.backup_files import collection_metadata, metadata
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run.run_parts import mapping
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.records import INTERNAL
from backups_app.runs.description import folder_records


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenFacts:
    """`holds_alone` is None where the file does not know it; `documents` counts those of each of the temple's
    collections, `limited` are those that are capped or expire. `pinned`, `released` and `accepted` as they stand."""

    base: str | None = None
    chained: bool = False
    resume_available: bool = False
    pinned: Any = None
    released: Any = None
    accepted: Any = None
    holds_alone: Mapping[str, int] | None = None
    database: Any = None
    documents: Mapping[str, int] = field(default_factory=dict)
    limited: frozenset[str] = frozenset()


_known: dict[Path, tuple[metadata.Stamp, WrittenFacts]] = {}


def of_folders(store: Store, backup_ids: Sequence[str]) -> dict[str, WrittenFacts]:
    """Return the facts by backup; of a file that cannot be read, none. What is known of others is forgotten."""
    global _known
    kept: dict[Path, tuple[metadata.Stamp, WrittenFacts]] = {}
    found = {backup_id: _of_folder(store, backup_id, kept) for backup_id in backup_ids}
    _known = kept
    return found


def _of_folder(store: Store, backup_id: str, kept: dict[Path, tuple[metadata.Stamp, WrittenFacts]]) -> WrittenFacts:
    try:
        folder = store.folder(backup_id)
        before, known = metadata.stamp(folder), _known.get(folder)
        if known is None or known[0] != before:
            facts = _facts(folder, metadata.read(folder) or {})
            if before is None or before != metadata.stamp(folder):
                return facts
            known = (before, facts)
        kept[folder] = known
        return known[1]
    except (VerificationFailed, BackupNotFound, OSError):
        return WrittenFacts()


def _facts(folder: Path, written: Mapping[str, Any]) -> WrittenFacts:
    documents, limited = _counts(folder, written)
    holds = written.get("holds_alone")
    return WrittenFacts(
        base=RunRecord(written).incremental.base,
        chained=bool(written.get("incremental_requested")),
        resume_available=bool(written.get("resume_available")),
        pinned=written.get("pinned"),
        released=written.get("released"),
        accepted=written.get("accepted"),
        holds_alone=holds if _are_counts(holds) else None,
        database=mapping(written.get("manifest")).get("database"),
        documents=documents,
        limited=limited,
    )


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(type(count) is int and count >= 0 for count in value.values())


def _counts(folder: Path, written: Mapping[str, Any]) -> tuple[dict[str, int], frozenset[str]]:
    """Return the number of documents of each of the temple's collections, and which are capped or expire."""
    try:
        manifest = folder_records.manifest_in(written)
    except TempleOpsError:
        return {}, frozenset()
    kept = {
        name: entry
        for name, entry in manifest.collections.items()
        if name not in INTERNAL and entry.type != "view" and not name.startswith("system.")
    }
    limited = {
        name
        for name, entry in kept.items()
        if entry.metadata
        and (described := manifest.files.get(entry.metadata)) is not None
        and _is_limited(folder, entry.metadata, described.sha256)
    }
    return {name: entry.documents for name, entry in kept.items()}, frozenset(limited)


@lru_cache(maxsize=100_000)
def _is_limited(folder: Path, relative: str, _: str) -> bool:
    """Whether a collection is capped or has documents that expire. The digest of its file stands for its content."""
    known = collection_metadata.read(folder, relative)
    expires = "expireAfterSeconds"
    return bool(known.options.get("capped")) or expires in known.options or any(expires in one for one in known.indexes)
