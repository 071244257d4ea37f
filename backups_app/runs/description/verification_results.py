"""The last verification of a backup in the audit trail, and which bytes it is about.

The outcome of a run is `closing/outcome.py`; what verifying a dump finds is `verification/verdict.py`.
"""

from __future__ import annotations

from backups_app.backup_files import layout, stamps
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import opening
from backups_app.errors import BackupNotFound
from backups_app.models import AuditEvent

ACTION = "backup.verified"
SEEN = "seen"
STARTED, GOOD, DAMAGED, FAILED = "started", "good", "damaged", "failed"
"""How the audit trail names a verification, its beginning and its ends."""


def last(store: Store, backup_id: str) -> AuditEvent | None:
    """Return the newest row of the audit trail about verifying this backup; None without one, and where the files have
    changed since."""
    event = AuditEvent.objects.filter(action=ACTION, target=backup_id).order_by("-n").first()
    noted = event.details.get(SEEN) if event is not None else None
    return event if not noted or noted == seen(store, backup_id) else None


def seen(store: Store, backup_id: str) -> str:
    """Return a digest of the present files of this backup; "" where it is gone."""
    try:
        manifest = opening.open_backup(store=store, backup_id=backup_id).manifest
        files = manifest.files or [one.file for one in manifest.collections.values() if one.file]
        names = [name for name in files if not name.endswith(layout.INDEX_SUFFIX)]
        return stamps.digest(store.folder(backup_id), names)
    except BackupNotFound:
        return ""
