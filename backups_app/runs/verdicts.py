"""What the audit trail says of verifications, and which bytes a verdict is about."""

from __future__ import annotations

from backups_app.backup_files import layout, stamps
from backups_app.backup_files.store import Store
from backups_app.browsing.reading import opening
from backups_app.errors import BackupNotFound
from backups_app.models import AuditEvent

ACTION = "backup.verified"
SEEN = "seen"
STARTED, GOOD, DAMAGED, FAILED = "started", "good", "damaged", "failed"
"""How the audit trail names it, its beginning and its ends: in every process one can read there what became of it."""


def last(store: Store, backup_id: str) -> AuditEvent | None:
    """Return what the audit trail says last about verifying this backup, or None. A verdict about files that are others
    by now is none: it belongs to the bytes that were read."""
    event = AuditEvent.objects.filter(action=ACTION, target=backup_id).order_by("-n").first()
    noted = event.details.get(SEEN) if event is not None else None
    return event if not noted or noted == seen(store, backup_id) else None


def seen(store: Store, backup_id: str) -> str:
    """Return what tells the files of this backup, as they are now, from others of the same names; "" where it is
    gone."""
    try:
        manifest = opening.open_backup(store=store, backup_id=backup_id).manifest
        files = manifest.files or [one.file for one in manifest.collections.values() if one.file]
        names = [name for name in files if not name.endswith(layout.INDEX_SUFFIX)]
        return stamps.digest(store.folder(backup_id), names)
    except BackupNotFound:
        return ""
