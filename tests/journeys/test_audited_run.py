"""What a run leaves of the audit trail outside its database, and that a deletion cannot be taken out of it unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from backups_app.access.trail import audit, audit_chain
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.use_cases import audit_check
from backups_app.use_cases.backups import backups
from tests.journeys.conftest import Db, now, run_backup


def forget_in_the_database(*, since: int) -> None:
    """Remove rows as somebody with a database shell does."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM backups_app_auditevent WHERE n >= %s", [since])


def written(seeded: Configuration, backup_id: str) -> dict[str, Any]:
    folder: Path = Store(seeded.backup_dir).folder(backup_id)
    reported: dict[str, Any] = json.loads((folder / "metadata.json").read_text())
    return reported


def test_the_record_and_the_folder_carry_the_digest_after_the_last_row_of_the_run(
    seeded: Configuration, local_db: Db
) -> None:
    run = run_backup(delete_bookings=True)

    digest = audit.digest()
    last = AuditEvent.objects.get(n=digest.count)
    assert (last.action, last.target) == ("backup.finished", run["backup_id"])
    reported = {"count": digest.count, "sha256": digest.sha256, "key_id": audit_chain.key_id()}
    assert written(seeded, run["backup_id"])["audit"] == reported
    record = local_db["backup_metadata"].find_one({"_id": run["backup_id"]}) or {}
    assert record["audit"] == reported
    assert audit_check.verify(configuration=seeded).good


@pytest.mark.parametrize("action", ["purge.remote", "purge.local", "backup.finished"])
def test_the_rows_of_the_newest_deletion_cannot_be_removed_unseen(seeded: Configuration, action: str) -> None:
    run = run_backup(delete_bookings=True)
    forget_in_the_database(since=AuditEvent.objects.filter(action=action).order_by("n")[0].n)

    verdict = audit_check.verify(configuration=seeded)

    assert verdict.first_disagreeing == run["backup_id"]
    assert verdict.changed


def test_an_older_digest_put_into_folder_and_record_does_not_hide_the_deletion(
    seeded: Configuration, local_db: Db
) -> None:
    """Who can also write the files puts back a true digest from before the run."""
    before = audit.digest()
    run = run_backup(delete_bookings=True)
    forget_in_the_database(since=before.count + 1)
    older = {"count": before.count, "sha256": before.sha256, "key_id": before.key_id}
    local_db["backup_metadata"].update_one({"_id": run["backup_id"]}, {"$set": {"audit": older}})
    path = Store(seeded.backup_dir).folder(run["backup_id"]) / "metadata.json"
    path.write_text(json.dumps(written(seeded, run["backup_id"]) | {"audit": older}))

    assert audit_check.verify(configuration=seeded).unknown_runs == (run["backup_id"],)


def test_a_deletion_is_noticed_by_the_record_alone_when_its_folder_is_gone(seeded: Configuration) -> None:
    run = run_backup(delete_bookings=True)
    store = Store(seeded.backup_dir)
    store.trash(run["backup_id"], now=now())
    forget_in_the_database(since=2)

    verdict = audit_check.verify(configuration=seeded)

    assert verdict.unknown_runs == (run["backup_id"],)


def test_keep_after_all_is_covered_too(seeded: Configuration, local_db: Db) -> None:
    run = run_backup(delete_bookings=False)
    unfinished = {"status": "partial", "resume_available": True}
    local_db["backup_metadata"].update_one({"_id": run["backup_id"]}, {"$set": unfinished})

    backups.resume(backup_id=run["backup_id"], requested_by="ravi", origin="web", now=now(), keep=True)  # type: ignore[arg-type]

    assert written(seeded, run["backup_id"])["audit"]["count"] == audit.digest().count
