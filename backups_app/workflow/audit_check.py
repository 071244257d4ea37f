"""Does the audit trail still agree with what every published backup remembers of it?"""

from __future__ import annotations

from collections.abc import Iterator

from backups_app.access import audit
from backups_app.access.audit import AuditVerdict
from backups_app.backup_files import metadata
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, VerificationFailed
from backups_app.workflow import prepare


def verify(*, configuration: Configuration) -> AuditVerdict:
    """Walk the whole trail and compare it with the backups, oldest first. A backup that says nothing is passed over."""
    return audit.verify(published=sorted(_remembered(configuration), key=lambda told: (told[1], told[0])))


def _remembered(configuration: Configuration) -> Iterator[tuple[str, int, str]]:
    store = prepare.store(configuration)
    for backup_id in store.backups().ids:
        try:
            told = (metadata.read(store.folder(backup_id)) or {}).get("audit")
        except (VerificationFailed, BackupNotFound, OSError):
            continue
        if isinstance(told, dict) and type(told.get("count")) is int and isinstance(told.get("sha256"), str):
            yield backup_id, told["count"], told["sha256"]
