"""Which collections of a backup a restore takes, in which order, and which it leaves out and why. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from backups_app.backup_files.manifest import Manifest
from backups_app.errors import CollectionNotFound, InvalidInput
from backups_app.messages import restore as messages
from backups_app.records import DUMPED_INTERNAL
from backups_app.restore.choices import Choices, Mode

INTERNAL = messages.OWN_RECORDS()


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A collection that is not taken. `emptied_by` is the id of the run that emptied it on purpose, or empty."""

    name: str
    reason: str
    emptied_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`taken` in the order of the work: chunks of files before the files, views last."""

    taken: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def decide(*, manifest: Manifest, choices: Choices, emptied: Mapping[str, str], staying: Collection[str] = ()) -> Plan:
    """Given what the backup holds and which run last emptied which collection on purpose, decide what is taken.

    1. Named collections are taken; a name that the backup does not hold raises `CollectionNotFound`.
    2. Otherwise all but our own records, and but the emptied ones unless they are included.
    3. Of an undo, `staying` are the collections of ours to which the undone restore added: they are named as left out.

    Raise `InvalidInput` where our own records would be overwritten or deleted, or a document be replaced.
    """
    _check(manifest, choices)
    taken, left_out = [], []
    for name in sorted(manifest.collections):
        reason = _why_not(name, choices, emptied)
        if reason is None:
            taken.append(name)
        elif reason:
            left_out.append(LeftOut(name=name, reason=reason, emptied_by=emptied.get(name, "")))
    left_out += [LeftOut(name=name, reason=messages.OWN_RECORDS_STAY()) for name in sorted(staying)]
    return Plan(taken=tuple(sorted(taken, key=lambda name: _rank(manifest, name))), left_out=tuple(left_out))


def _check(manifest: Manifest, choices: Choices) -> None:
    named = choices.collections
    if named is not None and (not named or not set(named) <= set(manifest.collections)):
        raise CollectionNotFound
    if named and choices.in_place and choices.mode is not Mode.ADD and set(named) & DUMPED_INTERNAL:
        raise InvalidInput(message=messages.OWN_RECORDS_ONLY_ADDED())
    if choices.document is None:
        return
    if named is None or len(named) != 1 or choices.mode is Mode.REPLACE:
        raise InvalidInput(message=messages.ONE_DOCUMENT_ADD_OR_OVERWRITE())
    if manifest.collections[named[0]].type != "collection":
        raise InvalidInput(message=messages.ONE_DOCUMENT_OF_ORDINARY_COLLECTION())


def _why_not(name: str, choices: Choices, emptied: Mapping[str, str]) -> str | None:
    """Return None for what is taken, an empty string for what nobody asked for, or the reason."""
    if choices.collections is not None:
        return None if name in choices.collections else ""
    if name in DUMPED_INTERNAL:
        return INTERNAL
    if name in emptied and choices.in_place and not choices.include_purged:
        return messages.EMPTIED_BY_RUN(run=emptied[name])
    return None


def _rank(manifest: Manifest, name: str) -> tuple[int, str]:
    kind = manifest.collections[name].type
    if kind == "view":
        return 3, name
    if kind == "timeseries":
        return 2, name
    return (0 if name.endswith(".chunks") else 1), name
