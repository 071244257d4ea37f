"""Does the audit trail still agree with what backups and runs remember of it, and does it know every deletion?"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator

from backups_app.access.trail import audit_chain
from backups_app.access.trail.audit_chain import AuditVerdict, ChainDigest, Remembered
from backups_app.backup_files import metadata
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.models import AuditEvent
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.runs import preparation

FIELDS = ("backup_id", "store_id", "fetched", "audit", "purge")
"""The stored fields of a run that are compared with the trail. All runs are held at once, without their steps."""

logger = logging.getLogger(__name__)


def verify(*, configuration: Configuration) -> AuditVerdict:
    """Walk the whole trail and compare it with every backup folder and every run's document.

    What says nothing of the trail is passed over; run documents are left out while the local server does not answer.
    """
    store_id = preparation.store(configuration).store_id()
    recorded = [*_folders(configuration), *_records(configuration)]
    remembered = [_remembered(document, store_id=store_id) for document in recorded]
    verdict = audit_chain.verify(remembered=[one for one in remembered if one is not None])
    beyond = {*verdict.other_key_backups, *verdict.began_later}
    unknown = {document.id for document in recorded if document.id not in beyond and not _is_known(document)}
    return dataclasses.replace(verdict, unknown_runs=tuple(sorted(unknown)))


def _folders(configuration: Configuration) -> Iterator[RunRecord]:
    store = preparation.store(configuration)
    for backup_id in store.backups().ids:
        try:
            written = metadata.read(store.folder(backup_id))
        except (VerificationFailed, BackupNotFound, OSError):
            continue
        if written is not None:
            yield RunRecord({name: written[name] for name in FIELDS if name in written} | {"_id": backup_id})


def _records(configuration: Configuration) -> list[RunRecord]:
    if not (configuration.is_local and configuration.local_url):
        return []
    try:
        with connections.reachable(Side.LOCAL):
            database = preparation.answering_database(configuration)
            return runs.with_fields(database, names=FIELDS)
    except TempleOpsError as error:
        logger.warning("The runs' documents were not compared with the audit trail", extra={"code": error.code})
        return []


def _remembered(document: RunRecord, *, store_id: str | None) -> Remembered | None:
    recorded = document.audit
    if (
        not isinstance(recorded, dict)
        or type(recorded.get("count")) is not int
        or not isinstance(recorded.get("sha256"), str)
    ):
        return None
    digest = ChainDigest(count=recorded["count"], sha256=recorded["sha256"], key_id=str(recorded.get("key_id", "")))
    elsewhere = document.fetched or document.store_id not in (None, store_id)
    return Remembered(backup_id=document.id, digest=digest, elsewhere=elsewhere)


def _is_known(document: RunRecord) -> bool:
    """Whether the trail has a row of each side on which this run deleted something."""
    return all(
        AuditEvent.objects.filter(action=f"purge.{side.value}", target=document.id).exists()
        for side in Side
        if any(entry.deleted for entry in document.purge.side(side).values())
    )
