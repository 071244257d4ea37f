"""Which copies of a target are meant: an id, the latest, those that alone hold something, all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from pyrage.x25519 import Identity

from backups_app.catalog.run_record import RunRecord
from backups_app.errors import AllDatedInFuture, CopyNotFound, KeyMissing, TempleOpsError, WrongKey
from backups_app.records import RunKind, is_ahead
from backups_app.storage import copy_reading
from backups_app.storage.copy_manifest import Contents, CopyManifest
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.retention.facts import is_signed

LATEST, HOLDERS, ALL = "latest", "holders", "all"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A backup at a target: its copy as it was opened, or the named failure that says why it cannot be."""

    backup_id: str
    found: FoundCopy
    contents: Contents | None = None
    problem: TempleOpsError | None = None

    @property
    def manifest(self) -> CopyManifest | None:
        return self.found.manifest

    @property
    def base(self) -> str | None:
        """The full backup that it begins from; None for a full one."""
        return self.manifest.base if self.manifest is not None else None

    @property
    def run(self) -> RunRecord:
        """What its `metadata.json` says of its run."""
        return RunRecord(self.metadata)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its `metadata.json`; empty where it is not open."""
        return self.contents.metadata if self.contents is not None else {}

    @property
    def holds(self) -> dict[str, int] | None:
        """How many deleted documents of each collection it alone holds; None where that is not known."""
        told: Any = self.metadata.get("holds_alone")
        return dict(told) if isinstance(told, dict) else None

    @property
    def is_holder(self) -> bool:
        """Whether it holds something, or may hold something, that no admin has released."""
        if self.contents is None or is_signed(self.run.released):
            return False
        return self.holds is None or any(self.holds.values())


def every(target: StorageTarget, *, identities: Sequence[Identity], only: str | None = None) -> Iterator[Choice]:
    """Yield each backup of a target once, the newest first. Of several copies of it the newest that opens counts.
    Raises as `copy_reading.find`."""
    found = copy_reading.find(target, only=only)
    for _, copies in groupby(found, key=lambda one: one.backup_id):
        yield _best([_opened(one, identities) for one in copies])


def _best(copies: Sequence[Choice]) -> Choice:
    return next((one for one in copies if one.contents is not None), copies[0])


def _opened(found: FoundCopy, identities: Sequence[Identity]) -> Choice:
    try:
        contents = copy_reading.open_contents(found, identities=identities)
    except TempleOpsError as error:
        return Choice(backup_id=found.backup_id, found=found, problem=error)
    return Choice(backup_id=found.backup_id, found=found, contents=contents)


def choose(target: StorageTarget, wanted: str, *, identities: Sequence[Identity], now: datetime) -> tuple[Choice, ...]:
    """Return what is to be fetched, in this order: holders first, then the newest first, each base before what needs
    it. What cannot be opened is among them, with its problem.

    Raise `CopyNotFound`, `AllDatedInFuture`, and, where `latest` cannot be told without another key, `KeyMissing` or
    `WrongKey`.
    """
    if wanted == LATEST:
        chosen = _latest(target, identities, now)
    elif wanted in (HOLDERS, ALL):
        chosen = [
            one
            for one in every(target, identities=identities)
            if wanted == ALL or one.is_holder or one.contents is None
        ]
    else:
        chosen = list(every(target, identities=identities, only=wanted))
    if not chosen and wanted not in (HOLDERS, ALL):
        raise CopyNotFound(target=target.name, backup_id=wanted)
    chosen.sort(key=lambda one: not one.is_holder)  # stable: the newest first within each
    return _with_bases(target, chosen, identities)


def _latest(target: StorageTarget, identities: Sequence[Identity], now: datetime) -> list[Choice]:
    """The newest ordinary backup that opens; before it, those newer ones that are damaged."""
    passed: list[Choice] = []
    ahead = False
    for one in every(target, identities=identities):
        if isinstance(one.problem, KeyMissing | WrongKey):
            raise one.problem
        if one.contents is None:
            passed.append(one)
        elif is_ahead(one.run.created_at, now=now):
            ahead = True
        elif one.run.kind == RunKind.BACKUP:
            return [*passed, one]
    if ahead:
        raise AllDatedInFuture()
    return passed


def _with_bases(target: StorageTarget, chosen: Sequence[Choice], identities: Sequence[Identity]) -> tuple[Choice, ...]:
    known = {one.backup_id: one for one in chosen}
    ordered: dict[str, Choice] = {}
    for one in chosen:
        if one.base is not None and one.contents is not None:
            for base in [known[one.base]] if one.base in known else every(target, identities=identities, only=one.base):
                ordered.setdefault(base.backup_id, base)
        ordered.setdefault(one.backup_id, one)
    return tuple(ordered.values())
