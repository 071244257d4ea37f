"""`manage.py check`: what is wrong with the configuration before anybody presses a button.

Warnings, not errors: the pages must come up to say the same, and `createsuperuser` needs no MongoDB. Nothing here
speaks to a server; `backup_doctor` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Info, Warning  # noqa: A004 - Django's own name for it
from django.db import Error as DatabaseError
from django.db import connections as connections_of_django

from backups_app import configuration, target_settings
from backups_app.access import records
from backups_app.access.secrecy import private_files, redaction
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.dump import engine
from backups_app.errors import (
    LocalUrlMissing,
    MongodumpMissing,
    MongoUrlInvalid,
    StoreOfAnotherDatabase,
    TargetNotEncrypted,
    TempleOpsError,
)
from backups_app.jobs import broker
from backups_app.mongo import connections
from backups_app.storage import targets


def mode_is_local(**_: Any) -> list[CheckMessage]:
    """In cloud mode everything but the status is refused; that is legitimate, so it is only stated."""
    if configuration.current().is_local:
        return []
    return [Info("PRIMARY_DATABASE is not local: backup features are off.", id="templeops.I001")]


def databases_are_named(**_: Any) -> list[CheckMessage]:
    """Both URLs can be used, and do not name the same server."""
    current = configuration.current()
    return list(_urls(current)) if current.is_local else []


def urls_are_obeyed(**_: Any) -> list[CheckMessage]:
    """An option of a URL that would weaken a guarantee is not obeyed, and that is stated."""
    current = configuration.current()
    return [
        Warning(
            f"{variable} asks for {', '.join(options)}: not obeyed. Reads come from the primary, majority only; writes "
            "are journaled by a majority.",
            hint=f"Remove {', '.join(options)} from the URL.",
            id="templeops.W004",
        )
        for variable, url in _variables(current)
        if (options := connections.overridden(url))
    ]


def engine_is_there(**_: Any) -> list[CheckMessage]:
    """BACKUP_ENGINE=mongodump needs one."""
    try:
        engine.choose(setting=configuration.current().backup_engine)
    except MongodumpMissing as missing:
        return [Warning(str(missing), hint=missing.hint, id="templeops.W005")]
    return []


def passwords_can_be_kept_out_of_the_log(**_: Any) -> list[CheckMessage]:
    """A very short password cannot be distinguished from a word, so it is not taken out of every text."""
    return [
        Warning(
            f"The password in {variable} is shorter than {redaction.SHORTEST} characters: it is easily guessed, and "
            "where it stands alone in a message it is not taken out of logs and answers.",
            hint="Give that user of MongoDB a longer password.",
            id="templeops.W006",
        )
        for variable, url in _variables(configuration.current())
        if redaction.is_too_short(url)
    ]


def secrets_are_private(**_: Any) -> list[CheckMessage]:
    """What holds passwords and keys is for its owner only."""
    return [
        Warning(f"{one.path.name} can be read by others (mode {one.mode:o}).", hint=one.repair, id="templeops.W007")
        for one in private_files.loose()
    ]


def targets_are_named(**_: Any) -> list[CheckMessage]:
    """A variable of a target that `BACKUP_TARGETS` does not name has a typing error."""
    return [
        Warning(f"{name} belongs to no target of BACKUP_TARGETS.", hint="Correct its name.", id="templeops.W009")
        for name in target_settings.strays(configuration.current().targets, environment=os.environ)
    ]


def targets_are_encrypted_on_the_way(**_: Any) -> list[CheckMessage]:
    """A plain http:// endpoint elsewhere is refused at the first use; here before."""
    return [
        Warning(str(refused := TargetNotEncrypted(target=one.name)), hint=refused.hint, id="templeops.W011")
        for one in configuration.current().targets
        if targets.is_plain_http(one)
    ]


def workers_can_share_the_jobs(**_: Any) -> list[CheckMessage]:
    """A broker says that a job waits; where the job is kept, every worker must be able to read."""
    if not broker.is_configured() or connections_of_django["default"].vendor != "sqlite":
        return []
    return [
        Warning(
            "JOBS_BROKER_URL is set, and DATABASE_URL is SQLite: workers on other machines do not see the jobs.",
            hint="Name PostgreSQL by DATABASE_URL, or leave JOBS_BROKER_URL empty.",
            id="templeops.W010",
        )
    ]


def records_answer(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """With `--database default`: Django's own database lets us in."""
    for alias in databases or ():
        try:
            connections_of_django[alias].ensure_connection()
        except DatabaseError as error:
            message = f"The database of users and audit rows cannot be used. {records.reason(error)}"
            return [Error(message, hint="Check user, password, host and name in DATABASE_URL.", id="templeops.E001")]
    return []


def folder_is_this_databases(**_: Any) -> list[CheckMessage]:
    """The backup folder holds the backups of this database, and of no other."""
    current = configuration.current()
    if not current.is_local:
        return []
    try:
        Store(current.backup_dir, database=current.database_name).require_ours()
    except StoreOfAnotherDatabase as refusal:
        return [Warning(f"{refusal} [{refusal.code}]", hint=refusal.hint, id="templeops.W008")]
    except TempleOpsError:  # it cannot be read: readiness and the doctor say so
        return []
    return []


def _urls(current: Configuration) -> Iterator[CheckMessage]:
    try:
        connections.open_local(current)
    except LocalUrlMissing as missing:
        yield Warning(str(missing), hint=missing.hint, id="templeops.W001")
    except MongoUrlInvalid as invalid:
        yield Warning(str(invalid), hint=invalid.hint, id="templeops.W002")
    if not current.sync_enabled:
        return
    try:
        connections.open_remote(current)
    except MongoUrlInvalid as invalid:
        yield Warning(str(invalid), hint=invalid.hint, id="templeops.W002")
    if current.cloud_url == current.local_url:
        same = "MONGODB_LOCAL_URL and MONGODB_CLOUD_URL are the same: there is nothing to sync, and sync will refuse."
        yield Warning(same, hint="Name Atlas by MONGODB_CLOUD_URL, or leave it empty.", id="templeops.W003")


def _variables(current: Configuration) -> tuple[tuple[str, str], ...]:
    return (("MONGODB_LOCAL_URL", current.local_url), ("MONGODB_CLOUD_URL", current.cloud_url))


OF_CONFIGURATION = (
    mode_is_local,
    databases_are_named,
    urls_are_obeyed,
    engine_is_there,
    passwords_can_be_kept_out_of_the_log,
    secrets_are_private,
    targets_are_named,
    targets_are_encrypted_on_the_way,
    workers_can_share_the_jobs,
    folder_is_this_databases,
)
