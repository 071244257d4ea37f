"""A restore test from a copy: the newest ordinary backup at a target, opened with a private key."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from backups_app import configuration as settings
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import KeyMissing
from backups_app.records import Origin
from backups_app.runs.copies import copy_source, own_copies
from backups_app.runs.copies.copy_source import RehearsedCopy
from backups_app.runs.description import folder_records
from backups_app.storage.copy_manifest import Contents
from backups_app.storage.copy_reading import FoundCopy
from backups_app.use_cases import copy_access, copy_choices
from backups_app.use_cases.copy_sites import Sites, own_site, problem_of_site
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.restores import restores


def start(
    *,
    target: str,
    backup_id: str | None = None,
    created_by: str,
    origin: Origin,
    now: datetime,
    enqueue: bool = True,
) -> RunRecord:
    """Start a restore test from the newest copy at a target, or from that of one backup. With `enqueue` a worker
    carries it out, with the key of `BACKUP_COPY_IDENTITY_FILE`, else the caller does (`backups.execute`).

    Raise `TargetNotFound`, `CopyNotFound`, `SeveralSites`, `KeyMissing`, `KeyNotReadable`, `WrongKey`, kinds of
    `TargetFailed`, and what `restores.start` raises.
    """
    copy = find(target=target, backup_id=backup_id, now=now)
    return restores.start(
        choices=restores.choose_rehearsal(configuration=settings.current(), backup_id=copy.backup_id),
        confirmation=None,
        created_by=created_by,
        origin=origin,
        now=now,
        rehearsal=True,
        enqueue=enqueue,
        copy=copy,
    )


def find(*, target: str, backup_id: str | None, now: datetime) -> RehearsedCopy:
    """Return the copy to begin from. Raises as `start`."""
    configuration = settings.current()
    readiness.require_local(configuration)
    keys = copy_source.identities(configuration)
    opened = copy_access.target(configuration, target)
    proof = partial(_require_proof, configuration, target)
    sites = Sites(target=opened, identities=keys, database=configuration.database_name, meant=own_site(configuration))
    with copy_choices.requiring(proof):
        found = copy_choices.choose(opened, backup_id or copy_choices.LATEST, identities=keys, now=now, sites=sites)
    chosen = next((one for one in reversed(found) if one.contents is not None), found[-1])
    if chosen.problem is not None:
        raise chosen.problem
    return RehearsedCopy(
        target=target,
        object_name=chosen.found.object_name,
        backup_id=chosen.backup_id,
        manifest=folder_records.manifest_in(chosen.metadata),
    )


def _require_proof(configuration: Configuration, target: str, found: FoundCopy, contents: Contents) -> None:
    other = problem_of_site(configuration, target=target, found=found, contents=contents)
    if other is not None:
        raise other
    own_copies.require_proof(configuration, target=target, found=found, contents=contents)


def require_key(configuration: Configuration, *, target: str) -> None:
    """Raise `TargetNotFound`, and `KeyMissing` or `KeyNotReadable` where a worker could not open a copy by itself."""
    copy_access.target(configuration, target)
    if configuration.copy_recipients and not copy_access.identities(configuration):
        raise KeyMissing()


def offered(configuration: Configuration) -> tuple[str, ...]:
    """Return the targets whose copies a worker can test by itself."""
    return () if needs_key_by_hand(configuration) else tuple(one.name for one in configuration.targets)


def needs_key_by_hand(configuration: Configuration) -> bool:
    """Return whether copies are encrypted and no private key lies here: then a person tests one, once a year."""
    encrypted = bool(configuration.targets and configuration.copy_recipients)
    return encrypted and configuration.copy_identity_file is None
