"""Does the audit trail still agree with what backups and runs remember of it, and does it know every deletion?"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from backups_app.access import audit_chain
from backups_app.access.audit_chain import AuditVerdict, ChainDigest, Remembered
from backups_app.backup_files import metadata
from backups_app.catalog import runs
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.models import AuditEvent
from backups_app.mongo import connections
from backups_app.records import RunDocument, Side
from backups_app.runs import preparation

logger = logging.getLogger(__name__)


def verify(*, configuration: Configuration) -> AuditVerdict:
    """Walk the whole trail and compare it with every backup folder and every run's document.

    What says nothing of the trail is passed over; run documents are left out while the local server does not answer.
    """
    store_id = preparation.store(configuration).store_id()
    told = [*_folders(configuration), *_records(configuration)]
    remembered = [_remembered(document, store_id=store_id) for document in told]
    verdict = audit_chain.verify(remembered=[one for one in remembered if one is not None])
    beyond = {*verdict.other_key_backups, *verdict.began_later}
    unknown = {_id(document) for document in told if _id(document) not in beyond and not _is_known(document)}
    return dataclasses.replace(verdict, unknown_runs=tuple(sorted(unknown)))


def _folders(configuration: Configuration) -> Iterator[RunDocument]:
    store = preparation.store(configuration)
    for backup_id in store.backups().ids:
        try:
            written = metadata.read(store.folder(backup_id))
        except (VerificationFailed, BackupNotFound, OSError):
            continue
        if written is not None:
            yield written | {"_id": backup_id}


def _records(configuration: Configuration) -> list[RunDocument]:
    if not (configuration.is_local and configuration.local_url):
        return []
    try:
        with connections.reachable(Side.LOCAL):
            database = preparation.local_database(configuration)
            connections.ping(database.client)
            return runs.recent(database)
    except TempleOpsError as error:
        logger.warning("The runs' documents were not compared with the audit trail", extra={"code": error.code})
        return []


def _remembered(document: Mapping[str, Any], *, store_id: str | None) -> Remembered | None:
    told = document.get("audit")
    if not isinstance(told, dict) or type(told.get("count")) is not int or not isinstance(told.get("sha256"), str):
        return None
    digest = ChainDigest(count=told["count"], sha256=told["sha256"], key_id=str(told.get("key_id", "")))
    elsewhere = bool(document.get("fetched")) or document.get("store_id") not in (None, store_id)
    return Remembered(backup_id=_id(document), digest=digest, elsewhere=elsewhere)


def _is_known(document: Mapping[str, Any]) -> bool:
    """Whether the trail has a row of each side on which this run deleted something."""
    purge = document.get("purge")
    return all(
        AuditEvent.objects.filter(action=f"purge.{side.value}", target=_id(document)).exists()
        for side in Side
        if isinstance(purge, dict) and _deleted(purge.get(side.value))
    )


def _deleted(collections: Any) -> bool:
    entries = collections.values() if isinstance(collections, dict) else ()
    return any(isinstance(entry, dict) and entry.get("deleted") for entry in entries)


def _id(document: Mapping[str, Any]) -> str:
    return str(document["_id"])
