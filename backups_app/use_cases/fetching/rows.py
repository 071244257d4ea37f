"""What is at a target, without any local record; and what became of each backup that was fetched: as rows for faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from pyrage.x25519 import Identity

from backups_app import formats
from backups_app.configuration import Configuration
from backups_app.errors import (
    CopyNotEncrypted,
    CopyNotFound,
    CopyOfAnotherSite,
    CopySiteUnknown,
    KeyMissing,
    TempleOpsError,
    WrongKey,
)
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import copy_choices
from backups_app.use_cases.copy_choices import CopyChoice
from backups_app.use_cases.copy_sites import Sites, own_site
from backups_app.use_cases.fetching.fetch import Fetched
from backups_app.use_cases.readiness import readiness

COMPLETE, FAILED, UNKNOWN = "complete", "failed", "unknown"
NOT_OURS = (WrongKey, CopyNotEncrypted, CopyOfAnotherSite, CopySiteUnknown)
"""Why nobody can say that a copy is good for us: it is not damaged."""


@dataclass(frozen=True, kw_only=True)
class CopyRow:
    """One backup at a target. `stored_bytes` and `copied_at` are None where its manifest cannot be read. `is_open` says
    whether `holds`, `documents` and `recipients` are known; `holds` is None where nobody knows what it alone holds.
    `site_id` names the site that made it; empty where that is not known."""

    backup_id: str
    target: str
    state: str
    stored_bytes: int | None
    copied_at: datetime | None
    base: str | None
    encrypted: bool | None
    is_open: bool
    holds: dict[str, int] | None
    documents: int | None
    recipients: tuple[str, ...]
    site_id: str
    error: TempleOpsError | None

    def as_json(self) -> dict[str, Any]:
        """Return the row as commands and the API show it."""
        return {
            "backup_id": self.backup_id,
            "target": self.target,
            "state": self.state,
            "bytes": self.stored_bytes,
            "copied_at": None if self.copied_at is None else formats.utc_seconds(self.copied_at),
            "read_back_at": None,
            "recipients": list(self.recipients) if self.is_open else None,
            "error_code": None if self.error is None else self.error.code,
            "base": self.base,
            "encrypted": self.encrypted,
            "holds": self.holds if self.is_open else None,
            "documents": self.documents,
            "site_id": self.site_id or None,
        }


def at_target(*, configuration: Configuration, target: StorageTarget, identities: Sequence[Identity]) -> list[CopyRow]:
    """Return every copy at a target, the newest backup first; one that is not encrypted beside an encrypted one of the
    same backup too. Without a private key an encrypted one says id, time, size and base; one of another site than ours
    is named as such. Objects are compared by their sizes; an incremental is complete only beside its base. Raise
    `ModeNotLocal`, kinds of `TargetFailed`."""
    readiness.require_local(configuration)
    target.check()
    every = list(copy_choices.every_copy(target, identities=identities))
    try:
        ours = own_site(configuration)
    except DatabaseError:  # copies are listed without our records too
        ours = ""
    sites = Sites(target=target, identities=identities, database=configuration.database_name, meant=ours)
    of_ours = [copy_choices.of_site(one, sites) for one in every]
    best = {one.backup_id: one for one in sorted(of_ours, key=copy_choices.rank, reverse=True)}
    rows = [_beside_its_base(_row(target, one), best) for one in of_ours]
    made_by = [one.contents.site_id if one.contents is not None else "" for one in every]
    return [replace(row, site_id=site) for row, site in zip(rows, made_by, strict=True)]


def _beside_its_base(row: CopyRow, choices: Mapping[str, CopyChoice]) -> CopyRow:
    if row.base is None or row.state == FAILED:
        return row
    base = choices.get(row.base)
    problem = CopyNotFound(target=row.target, backup_id=row.base) if base is None else base.problem
    if problem is None or isinstance(problem, KeyMissing | WrongKey):
        return row
    return replace(row, state=FAILED, error=problem)


def fetched(target: StorageTarget, results: Sequence[Fetched]) -> list[CopyRow]:
    """Return what became of each backup that was fetched."""
    return [_row(target, one.choice, error=one.error) for one in results]


def _row(target: StorageTarget, choice: CopyChoice, *, error: TempleOpsError | None = None) -> CopyRow:
    manifest, problem = choice.manifest, error or choice.problem
    return CopyRow(
        backup_id=choice.backup_id,
        target=target.name,
        state=_state(problem, is_fetched=error is not None),
        stored_bytes=None if manifest is None else manifest.stored_bytes,
        copied_at=None if manifest is None else manifest.copied_at,
        base=choice.base,
        encrypted=None if manifest is None else manifest.encrypted,
        is_open=choice.contents is not None,
        holds=choice.holds,
        documents=choice.run.documents,
        recipients=choice.contents.recipients if choice.contents is not None else (),
        site_id=choice.contents.site_id if choice.contents is not None else "",
        error=None if isinstance(problem, KeyMissing) and error is None else problem,
    )


def _state(problem: TempleOpsError | None, *, is_fetched: bool) -> str:
    if problem is None or (isinstance(problem, KeyMissing) and not is_fetched):
        return COMPLETE
    return UNKNOWN if isinstance(problem, NOT_OURS) and not is_fetched else FAILED
