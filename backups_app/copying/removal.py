"""Takes objects out of a target: a whole copy, its manifest first, or what earlier attempts left there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backups_app.copying.send import MANIFEST
from backups_app.storage.copy_manifest import backup_id_of
from backups_app.storage.copy_rows import Written
from backups_app.storage.target import StorageTarget


def parts(written: Iterable[Written], *, manifest: str) -> list[Written]:
    """Return the objects that a complete copy is made of, its manifest last."""
    newest = {one.path: one for one in written if one.proven and (one.path != MANIFEST or one.name == manifest)}
    return sorted(newest.values(), key=lambda one: one.name == manifest)


def left_over(written: Sequence[Written], *, manifest: str) -> list[str]:
    """Return the names that were used and belong to no copy. An object need not stand behind each."""
    belonging = {one.name for one in parts(written, manifest=manifest)}
    return [one.name for one in written if one.name not in belonging]


def remove(target: StorageTarget, names: Sequence[str]) -> None:
    """Remove objects; manifests first, so that what is interrupted is no copy. Raise `TargetDenied` and its kin."""
    for name in sorted(names, key=lambda one: backup_id_of(one) is None):
        target.delete(name)
