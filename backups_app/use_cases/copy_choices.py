"""Which copies of a target are meant: an id, the latest, those that alone hold something, all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from itertools import groupby
from typing import Any

from pyrage.x25519 import Identity

from backups_app.catalog.run.run_record import RunRecord
from backups_app.copying import damage
from backups_app.errors import (
    AllDatedInFuture,
    CopyNotEncrypted,
    CopyNotFound,
    CopyOfAnotherDatabase,
    KeyMissing,
    TempleOpsError,
    WrongKey,
)
from backups_app.records import RunKind, is_ahead
from backups_app.runs.copies import own_copies
from backups_app.runs.description import folder_records
from backups_app.storage import copy_reading
from backups_app.storage.copy_manifest import Contents, CopyManifest
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.copies import clear_copies
from backups_app.use_cases.copy_sites import Sites
from backups_app.use_cases.retention.facts import is_signed

LATEST, HOLDERS, ALL = "latest", "holders", "all"
Copies = Callable[..., Iterator["CopyChoice"]]
"""`every` of one target: called with nothing, or with `only` one backup."""
_accepted: ContextVar[bool] = ContextVar("unencrypted_accepted", default=False)
_check: ContextVar[Callable[[FoundCopy, Contents], None] | None] = ContextVar("required_of_copies", default=None)


@dataclass(frozen=True, kw_only=True)
class CopyChoice:
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
        held: Any = self.metadata.get("holds_alone")
        return dict(held) if isinstance(held, dict) else None

    @property
    def is_holder(self) -> bool:
        """Whether it holds something, or may hold something, that no admin has released."""
        if self.contents is None or is_signed(self.run.released):
            return False
        return self.holds is None or any(self.holds.values())


def every(
    target: StorageTarget, *, identities: Sequence[Identity], sites: Sites, only: str | None = None, by_id: bool = False
) -> Iterator[CopyChoice]:
    """Yield each backup of a target once, the newest first. Of several copies of it the newest encrypted one of our
    site that opens counts, else the newest that opens. `by_id`: as `Sites.problem`. Raises as `copy_reading.find`."""
    filtered = _unencrypted_refused(target)
    for _, copies in groupby(sites.find(only), key=lambda one: one.backup_id):
        yield min((of_site(filtered(_opened(target, one, identities)), sites, by_id=by_id) for one in copies), key=rank)


def of_site(choice: CopyChoice, sites: Sites, *, by_id: bool = False) -> CopyChoice:
    """Return a copy as it is; one that is not of the site that is meant closed, with the failure that says so."""
    if choice.contents is None or (problem := sites.problem(choice.found, choice.contents, by_id=by_id)) is None:
        return choice
    return replace(choice, contents=None, problem=problem)


def every_copy(target: StorageTarget, *, identities: Sequence[Identity]) -> Iterator[CopyChoice]:
    """Yield each copy of a target, the newest backup first. Raises as `copy_reading.find`."""
    filtered = _unencrypted_refused(target)
    for found in copy_reading.find(target):
        yield filtered(_opened(target, found, identities))


@contextmanager
def unencrypted_accepted(accepted: bool = True) -> Iterator[None]:
    """In the block a copy that is not encrypted may be chosen beside encrypted ones."""
    token = _accepted.set(accepted)
    try:
        yield
    finally:
        _accepted.reset(token)


@contextmanager
def requiring(check: Callable[[FoundCopy, Contents], None]) -> Iterator[None]:
    """In the block a copy is chosen only where `check` raises nothing: what it raises is the copy's problem."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def rank(choice: CopyChoice) -> tuple[bool, bool]:
    """Return by what copies of one backup are chosen: the least one counts."""
    return choice.contents is None, choice.manifest is None or not choice.manifest.encrypted


def _unencrypted_refused(target: StorageTarget) -> Callable[[CopyChoice], CopyChoice]:
    """Return what refuses a copy that is not encrypted where encrypted ones lie: somebody who can write to the target
    can write one. One that a row knows is ours."""
    encrypted_there = cache(lambda: clear_copies.encrypted_lie_at(target))

    def filtered(choice: CopyChoice) -> CopyChoice:
        if choice.contents is None or choice.manifest is None or choice.manifest.encrypted or _accepted.get():
            return choice
        if own_copies.is_known(target.name, choice.found) or not encrypted_there():
            return choice
        problem = CopyNotEncrypted(target=target.name, backup_id=choice.backup_id)
        return replace(choice, contents=None, problem=problem)

    return filtered


def _opened(target: StorageTarget, found: FoundCopy, identities: Sequence[Identity]) -> CopyChoice:
    """Open a copy. One that is not what was written there is noted as damaged."""
    try:
        with damage.noted(target, found):
            contents = copy_reading.open_contents(found, identities=identities)
        folder_records.require_sound(found.backup_id, contents.metadata)
        if (check := _check.get()) is not None:
            check(found, contents)
    except TempleOpsError as error:
        return CopyChoice(backup_id=found.backup_id, found=found, problem=error)
    return CopyChoice(backup_id=found.backup_id, found=found, contents=contents)


def choose(
    target: StorageTarget, wanted: str, *, identities: Sequence[Identity], now: datetime, sites: Sites
) -> tuple[CopyChoice, ...]:
    """Return what is to be fetched, in this order: holders first, then the newest first, each base before what needs
    it. What cannot be opened, or is of another site, is among them, with its problem. The latest is that of the
    database and the site of `sites`.

    Raise `CopyNotFound`, `AllDatedInFuture`, `SeveralSites`; for `latest` without a key `KeyMissing`, and `WrongKey`
    where the keys open none.
    """
    by_id = wanted not in (LATEST, HOLDERS, ALL)
    sites.require_one(backup_id=wanted if by_id else "")
    copies = partial(every, target, identities=identities, sites=sites)
    if wanted == LATEST:
        chosen = _latest(target, copies, now, sites.database)
    elif wanted in (HOLDERS, ALL):
        chosen = [one for one in copies() if wanted == ALL or one.is_holder or one.contents is None]
    else:
        chosen = list(copies(only=wanted, by_id=True))
    if not chosen and wanted not in (HOLDERS, ALL):
        raise CopyNotFound(target=target.name, backup_id=wanted)
    chosen.sort(key=lambda one: not one.is_holder)  # stable: the newest first within each
    return _with_bases(chosen, partial(copies, by_id=by_id))


def problem_of_database(choice: CopyChoice, *, target: str, database: str) -> CopyOfAnotherDatabase | None:
    """Return the failure of a backup that says it is of another database; None of any other."""
    other = folder_records.other_database(choice.metadata, database=database)
    if not other:
        return None
    return CopyOfAnotherDatabase(target=target, backup_id=choice.backup_id, database=database, other=other)


def _latest(target: StorageTarget, copies: Copies, now: datetime, database: str) -> list[CopyChoice]:
    """The newest ordinary backup of this database and site that opens, an incremental one with its base; before it,
    those newer ones that are damaged, whose base is, that are encrypted to other keys, of another database or site."""
    passed: list[CopyChoice] = []
    ahead = False
    for one in copies():
        if isinstance(one.problem, KeyMissing):
            raise one.problem
        if one.contents is None:
            passed.append(one)
        elif (other := problem_of_database(one, target=target.name, database=database)) is not None:
            passed.append(replace(one, contents=None, problem=other))
        elif is_ahead(one.run.created_at, now=now):
            ahead = True
        elif one.run.kind == RunKind.BACKUP:
            problem = _problem_of_base(target, one, copies)
            if problem is None:
                return [*passed, one]
            passed.append(replace(one, contents=None, problem=problem))
    for other_key in (one.problem for one in passed if isinstance(one.problem, WrongKey)):
        raise other_key  # with the right key there may be a latest one
    if ahead:
        raise AllDatedInFuture()
    return passed


def _problem_of_base(target: StorageTarget, one: CopyChoice, copies: Copies) -> TempleOpsError | None:
    """Return why the base of an incremental cannot be fetched; None where it can, or where none is needed."""
    if one.base is None:
        return None
    base = next(copies(only=one.base), None)
    return base.problem if base is not None else CopyNotFound(target=target.name, backup_id=one.base)


def _with_bases(chosen: Sequence[CopyChoice], copies: Copies) -> tuple[CopyChoice, ...]:
    known = {one.backup_id: one for one in chosen}
    ordered: dict[str, CopyChoice] = {}
    for one in chosen:
        if one.base is not None and one.contents is not None:
            for base in [known[one.base]] if one.base in known else copies(only=one.base):
                ordered.setdefault(base.backup_id, base)
        ordered.setdefault(one.backup_id, one)
    return tuple(ordered.values())
