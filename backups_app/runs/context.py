"""What the steps of one run share: the databases, the folder, the documents, what earlier steps found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.run.run_writers import Writer
from backups_app.configuration import Configuration
from backups_app.dump.engine import DumpEngine
from backups_app.dump.report import DumpReport
from backups_app.records import Phase, StepState
from backups_app.runs.incremental_base import ChosenBase
from backups_app.runs.progress import RunProgress
from backups_app.sync.engine import SyncReport


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """How a step ended: its state, one sentence for people, its counts, and fields of the run that it changes."""

    state: StepState
    sentence: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Run:
    """One run in the hands of its owner. Steps read the first block and fill the second."""

    configuration: Configuration
    document: RunRecord
    ownership: Writer
    local: Database[Any]
    remote: Database[Any] | None
    store: Store
    progress: RunProgress
    now: datetime

    engine: DumpEngine | None = None
    base: ChosenBase | None = None
    dump: DumpReport | None = None
    manifest: Manifest | None = None
    sync_report: SyncReport | None = None
    sync_succeeded: bool = False
    published: bool = False
    verified_here: bool = False

    @property
    def backup_id(self) -> str:
        return self.document.id

    @property
    def partial(self) -> Path:
        """The folder the run writes into until it is published."""
        return self.store.partial(self.backup_id)

    @property
    def folder(self) -> Path:
        """The folder under its final name."""
        return self.store.root / layout.published_name(self.backup_id)

    @property
    def deletes_bookings(self) -> bool:
        return self.document.delete_bookings_requested is True


class Group(StrEnum):
    """Under which line of a run's panel a step stands. A line is drawn for each group that a run has a step of."""

    CHECK = "check"
    SYNC = "sync"
    BACKUP = "backup"
    PURGE_REMOTE = "purge_remote"
    PURGE_LOCAL = "purge_local"
    WRITE = "write"


class Step(Protocol):
    """A module of `runs/steps/`: what it declares, and its work. Panel, terminal, cancel rule and recovery derive from
    the declarations (`runs/declarations.py`), so a new step is an operation, a step and its place in a pipeline."""

    NAME: str
    """Its name in records, which never changes."""
    TITLE: str
    """What people read, in English; `gettext_noop` marks it for translation."""
    GROUP: str
    """A `Group`, or its own name where it has a line of its own."""
    PHASE: Phase
    CANCELLABLE: bool
    """Whether a cancel is obeyed while it runs. A step that deletes or restores finishes by itself."""

    def perform(self, run: Run) -> StepResult: ...
