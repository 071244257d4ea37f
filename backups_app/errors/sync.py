"""A sync, and the versions that it replaced."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class SyncFailed(TempleOpsError):
    code = "sync_failed"
    sentence = "Local and Atlas could not be synced."


class SyncAborted(SyncFailed):
    """Facts: `reason`, the sync's own failure as a sentence. The operator wants no backup after it."""

    sentence = "No backup was made, because the sync failed and SYNC_FAILURE_POLICY is abort."
    hint = "{reason}"

    @property
    def reason(self) -> str:
        return self.facts["reason"]  # type: ignore[no-any-return]


class SyncInterrupted(SyncFailed):
    """Facts: `side`, `pulled`, `pushed`, `deleted`. It broke off half-way; the next sync goes on where it was."""

    sentence = (
        "The connection to the {side} database was lost in the middle of the sync. Documents pulled: {pulled}, "
        "pushed: {pushed}, deleted: {deleted}. Replaced and deleted versions are kept: page Sync, Conflicts, Edits and "
        "deletions too. The next sync goes on from there."
    )


class SyncStopped(SyncFailed):
    """Its process ended half-way; the next sync goes on where it was."""

    sentence = (
        "The worker ended before the sync did. Versions replaced or deleted until then are kept: page Sync, Conflicts, "
        "Edits and deletions too. The next sync goes on from there."
    )


class PairMismatch(TempleOpsError):
    """Facts: `reason`."""

    code = "pair_mismatch"
    sentence = (
        "Local and Atlas are not the pair that was synced before: {reason}. Sync wrote nothing and nothing will be "
        "deleted. Check MONGODB_LOCAL_URL and MONGODB_CLOUD_URL."
    )
    hint = "manage.py backup_sync --adopt, if the change was made on purpose"


class SideRolledBack(TempleOpsError):
    """Facts: `side`."""

    code = "side_rolled_back"
    sentence = (
        "The {side} database is older than at the last sync: it was restored from elsewhere. Sync wrote nothing and "
        "nothing will be deleted."
    )
    hint = "manage.py backup_sync --adopt, to pair the two again and merge both"


class DocumentChanged(TempleOpsError):
    code, status = "document_changed", 409
    sentence = "The document changed since you looked at it. Nothing was written. Look at it again."


class PutBackRefused(TempleOpsError):
    """Facts: `reason`."""

    code, status = "put_back_refused", 409
    sentence = "This version cannot be restored: {reason}. Nothing was changed."
