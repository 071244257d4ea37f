"""Who may change a run's document while it goes on: its owner, or the run that finishes the purge of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pymongo.database import Database

from backups_app.catalog.run import run_documents
from backups_app.catalog.run.runs import amend, collection
from backups_app.errors import OwnershipLost
from backups_app.records import Phase, Status


class Writer(Protocol):
    """Who may change a run's document while its purge goes on."""

    @property
    def fence(self) -> int: ...

    @property
    def database(self) -> Database[Any]: ...

    def write(
        self, *, phase: Phase, changes: Mapping[str, Any], unless_cancelled: bool = False, warnings: Sequence[str] = ()
    ) -> bool: ...

    def beat(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """The right to finish the purge of an earlier run, held by the run that holds the lease."""

    database: Database[Any]
    backup_id: str
    fence: int

    def write(
        self, *, phase: Phase, changes: Mapping[str, Any], unless_cancelled: bool = False, warnings: Sequence[str] = ()
    ) -> bool:
        """Set `changes` in a run that has ended. Its phase stays what it is."""
        amend(self.database, backup_id=self.backup_id, changes=changes)
        return True

    def beat(self) -> bool:
        """Return that no cancel was asked for: a run that has ended has no owner who could lose it."""
        return False


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """The right of one process to change one run: the database, the run's id and its fence."""

    database: Database[Any]
    backup_id: str
    fence: int

    def write(
        self, *, phase: Phase, changes: Mapping[str, Any], unless_cancelled: bool = False, warnings: Sequence[str] = ()
    ) -> bool:
        """Set `changes` while the run is in `phase` and ours. Raise `OwnershipLost` otherwise.

        With `unless_cancelled`, return False and change nothing when a cancel was asked for.
        """
        wanted: dict[str, Any] = {"_id": self.backup_id, "fence": self.fence, "phase": phase.value}
        if unless_cancelled:
            wanted["cancel_requested"] = {"$ne": True}
        update = run_documents.update(changes, warnings=warnings)
        if collection(self.database).update_one(wanted, update).matched_count == 1:
            return True
        if unless_cancelled and self.beat():
            return False
        raise OwnershipLost

    def beat(self) -> bool:
        """Renew the heartbeat. Return whether a cancel was asked for. Raise `OwnershipLost`."""
        document = collection(self.database).find_one_and_update(
            {"_id": self.backup_id, "fence": self.fence, "status": Status.IN_PROGRESS.value},
            {"$currentDate": {"heartbeat_at": True}},
            projection={"cancel_requested": True},
        )
        if document is None:
            raise OwnershipLost
        return bool(document.get("cancel_requested"))
