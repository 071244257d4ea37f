"""The other copies at a target. What they consist of, and what they begin from, stays when a copy is removed.

Rows name what this installation wrote; a manifest that no row stands for is read. Two manifests may name one object: a
Django database that was restored from an earlier state forgets a manifest and goes on with its objects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from backups_app.errors import ObjectsMayBelong, needed_by
from backups_app.models import BackupCopy
from backups_app.storage import copy_manifest, copy_reading, copy_rows
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A copy at a target, by its row (`row` is its primary key) or by its manifest there. `objects` are the names of
    all that belongs to it, `base` the backup that it begins from. `unreadable`: its manifest cannot be read."""

    backup_id: str
    objects: frozenset[str]
    row: int | None = None
    manifest: str = ""
    base: str | None = None
    unreadable: bool = False


def at(target: StorageTarget) -> list[Neighbour]:
    """Return every copy at a target. Raise kinds of `TargetFailed`."""
    listed = list(target.list_objects())
    rows = list(copy_rows.of_target(target.name))  # after the listing: what was copied meanwhile is known
    known = {name for row in rows if "base" in row.backup for name in _names(row)}
    there = {head.name for head in listed if copy_manifest.backup_id_of(head.name) is not None}
    unknown = copy_reading.among(target, listed, known=known)
    return [*(_of_row(row, there) for row in rows), *map(_of_manifest, unknown)]


def besides(every: Iterable[Neighbour], *, rows: Collection[int], manifests: Collection[str]) -> list[Neighbour]:
    """Return the copies that stay when these rows and these manifests go."""
    return [one for one in every if one.row not in rows and (one.row is not None or one.manifest not in manifests)]


def require_readable(staying: Sequence[Neighbour], *, target: str) -> None:
    """Raise `ObjectsMayBelong` beside a manifest that cannot be read: what it names and begins from is not known."""
    if any(one.unreadable for one in staying):
        raise ObjectsMayBelong(target=target)


def require_no_dependant(staying: Sequence[Neighbour], *, backup_id: str) -> None:
    """Raise `BackupNeeded` where a copy of another backup begins from this one."""
    dependants = {one.backup_id for one in staying if one.base == backup_id and one.backup_id != backup_id}
    if dependants:
        raise needed_by(sorted(dependants))


def free(staying: Sequence[Neighbour], names: Iterable[str]) -> list[str]:
    """Return those of the names that belong to none of the copies that stay."""
    theirs = frozenset[str]().union(*(one.objects for one in staying))
    return [name for name in dict.fromkeys(names) if name not in theirs]


def objects_of(found: FoundCopy) -> list[str]:
    """Return the names of a copy's objects. A manifest is no object of another one, whatever that says."""
    named = found.manifest.objects if found.manifest is not None else ()
    return [one.name for one in named if one.name.startswith(copy_manifest.OBJECT)]


def _names(row: BackupCopy) -> frozenset[str]:
    return frozenset([*(entry["name"] for entry in row.written), *filter(None, [row.manifest])])


def _of_row(row: BackupCopy, manifests: Collection[str]) -> Neighbour:
    """A copy in the making, or a damaged one, begins from nothing before its manifest is there."""
    names = _names(row)
    is_there = row.state == State.COMPLETE or not names.isdisjoint(manifests)
    base = row.backup.get("base") if is_there else None
    return Neighbour(backup_id=row.backup_id, row=row.pk, objects=names, base=base)


def _of_manifest(found: FoundCopy) -> Neighbour:
    return Neighbour(
        backup_id=found.backup_id,
        manifest=found.object_name,
        objects=frozenset([found.object_name, *objects_of(found)]),
        base=None if found.manifest is None else found.manifest.base,
        unreadable=found.manifest is None,
    )
