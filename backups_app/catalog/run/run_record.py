"""A run as a type: what code reads of a document of `backup_metadata`, or of the `metadata.json` of a backup.

`RunRecord` is that document with typed attributes. The document itself keeps its stored names, which the API, `--json`
and the folders promise: it is handed to them whole. Code reads attributes alone; `tests/architecture` counts the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backups_app.catalog.run.purge_record import PurgeRecord
from backups_app.catalog.run.restore_record import RestoreRecord
from backups_app.catalog.run.run_parts import IncrementalRecord, StepRecord, StreamRecord, VerificationRecord, moment
from backups_app.catalog.run.stored_run import StoredRun
from backups_app.records import RESTORES, RunKind, Status, StepState, SyncStatus


class RunRecord(StoredRun):
    """One run. `described` runs (`runs/description/`) also know where their files are and what may be done."""

    @property
    def id(self) -> str:
        return str(self.get("_id") or self["backup_id"])

    @property
    def backup_id(self) -> str:
        return str(self.get("backup_id") or self["_id"])

    @property
    def kind(self) -> str:
        """A `RunKind`, or `foreign` for a folder that somebody else's mongodump wrote."""
        return str(self.get("kind") or RunKind.BACKUP.value)

    @property
    def is_restore(self) -> bool:
        """Whether it is a restore, a test copy or a rehearsal, which are described by what they restored."""
        return self.kind in RESTORES

    @property
    def database(self) -> str:
        return str(self.get("database") or "")

    @property
    def host(self) -> str:
        return str(self.get("host") or "")

    @property
    def store_id(self) -> str | None:
        return self.get("store_id")

    @property
    def backup_path(self) -> str:
        return str(self.get("backup_path") or "")

    @property
    def created_by(self) -> str:
        return str(self.get("created_by") or "")

    @property
    def origin(self) -> str:
        return str(self.get("origin") or "")

    @property
    def note(self) -> str:
        return str(self.get("note") or "")

    @property
    def created_at(self) -> datetime:
        """Raise ValueError where the record does not say it."""
        at = moment(self.get("created_at"))
        if at is None:
            raise ValueError("a run without the moment at which it began")
        return at

    @property
    def backup_timestamp(self) -> datetime | None:
        return moment(self.get("backup_timestamp"))

    @property
    def finished_at(self) -> datetime | None:
        return moment(self.get("finished_at"))

    @property
    def status(self) -> str:
        """A `Status`, or `unverified` for a folder that nobody verified; empty where no run is recorded."""
        return str(self.get("status") or "")

    @property
    def in_progress(self) -> bool:
        return self.status == Status.IN_PROGRESS

    @property
    def sync_status(self) -> str:
        return str(self.get("sync_status") or "")

    @property
    def phase(self) -> str:
        return str(self.get("phase") or "")

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        return tuple(StepRecord.of(stored) for stored in self.get("steps") or () if isinstance(stored, Mapping))

    @property
    def stored_steps(self) -> list[dict[str, Any]]:
        """The steps as the record holds them."""
        return list(self.get("steps") or ())

    def step(self, name: str) -> StepRecord | None:
        """Return one step, or None where this run has none of that name."""
        return next((step for step in self.steps if step.name == name), None)

    def has_done(self, name: str) -> bool:
        """Return whether a step of this name was done."""
        step = self.step(name)
        return step is not None and step.state is StepState.DONE

    @property
    def cancel_requested(self) -> bool:
        return bool(self.get("cancel_requested"))

    @property
    def cancelled_by(self) -> str:
        return str(self.get("cancelled_by") or "")

    @property
    def owner(self) -> Mapping[str, Any] | None:
        return self.get("owner")

    @property
    def starter(self) -> Mapping[str, Any] | None:
        """The process of the command that started it and carries it out; None where a worker does."""
        return self.get("starter")

    @property
    def child(self) -> Mapping[str, Any] | None:
        """The mongodump that it started and that may still run."""
        return self.get("child")

    @property
    def fence(self) -> int:
        return int(self.get("fence") or 0)

    @property
    def heartbeat_at(self) -> datetime | None:
        return moment(self.get("heartbeat_at"))

    @property
    def late(self) -> bool:
        """Whether it waits for a worker for too long (`runs.unclaimed` alone knows it)."""
        return bool(self.get("late"))

    @property
    def idempotency_key(self) -> str | None:
        return self.get("idempotency_key")

    @property
    def replayed(self) -> bool:
        """Whether it was started by an earlier request with the same key."""
        return bool(self.get("replayed"))

    @property
    def delete_bookings_requested(self) -> bool | None:
        """None where nobody answered: then no deletion may begin."""
        asked = self.get("delete_bookings_requested")
        return asked if isinstance(asked, bool) else None

    @property
    def incremental(self) -> IncrementalRecord:
        return IncrementalRecord.of(self.get("incremental"), requested=self.get("incremental_requested"))

    @property
    def stream(self) -> StreamRecord | None:
        return StreamRecord.of(self.get("stream"))

    @property
    def collections_backed_up(self) -> list[str]:
        return list(self.get("collections_backed_up") or ())

    @property
    def collections_deleted_local(self) -> list[str]:
        return list(self.get("collections_deleted_local") or ())

    @property
    def collections_deleted_remote(self) -> list[str]:
        return list(self.get("collections_deleted_remote") or ())

    @property
    def documents(self) -> int | None:
        return self.get("documents")

    @property
    def size_bytes(self) -> int | None:
        return self.get("bytes")

    @property
    def engine(self) -> str:
        return str(self.get("engine") or "")

    @property
    def purge(self) -> PurgeRecord:
        sync_is_off = self.sync_status == SyncStatus.SKIPPED
        return PurgeRecord.of(self.get("purge"), recorded="purge" in self, sync_is_off=sync_is_off)

    @property
    def kept_changed(self) -> int:
        """How many documents the deletion kept, because they had changed since the backup."""
        return int((self.get("kept_changed") or {}).get("count") or 0)

    @property
    def restore(self) -> RestoreRecord:
        return RestoreRecord.of(self.get("restore"))

    @property
    def error_code(self) -> str | None:
        return self.get("error_code")

    @property
    def error_message(self) -> str:
        return self.get("error_message") or ""

    @property
    def warnings(self) -> list[str]:
        return list(self.get("warnings") or ())

    @property
    def resume_available(self) -> bool:
        return bool(self.get("resume_available"))

    @property
    def verification(self) -> VerificationRecord:
        return VerificationRecord.of(self.get("verification"))

    @property
    def audit(self) -> Mapping[str, Any] | None:
        return self.get("audit")

    @property
    def fetched(self) -> bool:
        """Whether the backup was brought here from another place."""
        return bool(self.get("fetched"))

    @property
    def message(self) -> str:
        """How it ended, in a sentence for the person who started it."""
        return self.get("message") or ""

    @property
    def pinned(self) -> Mapping[str, Any]:
        """Who pinned it, when and why; empty where nobody did."""
        return self.get("pinned") or {}

    @property
    def released(self) -> Any:
        """Who released what it alone holds, when and why: an admin's word, to be looked at with `is_signed`."""
        return self.get("released")

    @property
    def removed(self) -> Any:
        """Who removed its backup, when and why; empty where nobody did."""
        return self.get("removed")

    @property
    def published(self) -> bool:
        """Whether its folder is here; taken for granted where nobody has looked."""
        return bool(self.get("published", True))

    @property
    def verified(self) -> bool:
        return bool(self.get("verified"))

    @property
    def damaged(self) -> bool:
        return bool(self.get("damaged"))

    @property
    def files(self) -> str:
        """Where its files are, a `Files`; empty where nobody has looked."""
        return str(self.get("files") or "")

    @property
    def dated_in_future(self) -> bool:
        return bool(self.get("dated_in_future"))

    @property
    def keep_available(self) -> bool:
        return bool(self.get("keep_available", self.resume_available))

    def apply_to_step(self, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Set fields of one step. Return the change under its stored name: `{"steps.2.state": "done"}`."""
        index = [step.name for step in self.steps].index(name)
        changes = {f"steps.{index}.{field}": value for field, value in fields.items()}
        self.apply(changes)
        return changes

    def __or__(self, fields: Mapping[str, Any]) -> RunRecord:  # type: ignore[override]  # a dict's would be no record
        """Return a copy that has these stored fields instead."""
        return type(self)({**self, **fields})
