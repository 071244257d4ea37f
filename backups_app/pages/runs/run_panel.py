"""A run's document as the panel shows it: while it runs, and as a result whose words say first what is safe."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from backups_app import formats
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.purge_record import PurgeRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages import runs as messages
from backups_app.messages.message import code_of, parts_of
from backups_app.pages.runs import panel_words, restore_result, restore_steps, restore_wording, run_steps, run_wording
from backups_app.pages.runs.restore_result import RestoreShown
from backups_app.pages.runs.run_steps import Line
from backups_app.pages.shared.translation import translated
from backups_app.progress import pace
from backups_app.records import Phase, Side, Status, StepState, SyncStatus
from backups_app.runs import declarations
from backups_app.runs.context import Group
from backups_app.use_cases.listing import listing

ESTIMATE_AFTER_SECONDS = 5
LONG_SECONDS = 600
SILENT_AFTER_SECONDS = 30
WORKER_WITHIN_SECONDS = 60
TECHNICAL = (
    "backup_id", "backup_path", "origin", "created_at", "finished_at", "status", "sync_status", "error_code",
    "error_message", "warnings", "engine", "engine_version", "server_version", "consistency", "host", "steps", "purge",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SideCell:
    """What became of one collection on one side: `deleted` of `documents`; `state` is done, stopped or not_begun."""

    deleted: int
    documents: int
    kept: int
    state: str


@dataclass(frozen=True, kw_only=True)
class PurgeRow:
    collection: str
    remote: SideCell | None
    local: SideCell


@dataclass(frozen=True, kw_only=True)
class RunPanel:
    """Everything the panel shows. `seconds_left` is None until there is something to reckon with; `stops_after_seconds`
    is the limit of copying, once most of it has passed."""

    run: RunRecord
    id: str
    status: Status
    words: panel_words.Words
    lines: Sequence[Line]
    current: Line | None
    seconds: float
    seconds_left: float | None
    documents_per_second: int | None
    silent_seconds: float | None
    queued: bool
    cancellable: bool
    cancelling: bool
    purge: Sequence[PurgeRow]
    announce: str
    stops_after_seconds: int | None = None
    restore: RestoreShown | None = None

    @property
    def running(self) -> bool:
        return self.status is Status.IN_PROGRESS

    @property
    def waits_for_a_worker(self) -> bool:
        """Whether no worker has taken the run for so long that somebody should start one."""
        return self.queued and self.seconds >= WORKER_WITHIN_SECONDS

    @property
    def two_sided(self) -> bool:
        return Side.REMOTE in self.run.purge.sides

    @property
    def table_under(self) -> str:
        """Under which line the table of the purge stands: where it began, once it has begun."""
        if not self.purge or self.run.sync_status == SyncStatus.FAILED:
            return ""
        return Group.PURGE_REMOTE if self.two_sided else Group.PURGE_LOCAL

    @property
    def shown_done(self) -> int:
        """Documents of the running step. A backup passes each twice; people see one of them."""
        return self.current.shown_done if self.current else 0

    @property
    def shown_total(self) -> int:
        return self.current.shown_total if self.current else 0

    @property
    def bar_done(self) -> int:
        """As far as the bar shows it: it is never full before the step is done."""
        return min(self.current.done, self.current.total - max(1, self.current.total // 100)) if self.current else 0

    @property
    def left_text(self) -> str:
        """`about 20 s left`, rounded: nobody knows it better."""
        left = self.seconds_left
        if left is None:
            return ""
        if left > LONG_SECONDS:
            return _("more than 10 min left")
        if left > 90:
            return _("about %(n)s min left") % {"n": round(left / 60)}
        return _("about %(n)s s left") % {"n": max(1, round(left) if left < 10 else round(left / 5) * 5)}

    @property
    def technical(self) -> str:
        """What support asks for. Nothing of it is a secret."""
        return json.dumps(listing.public(RunRecord(self.run.stored_fields(*TECHNICAL))), indent=2)

    @property
    def warnings(self) -> Sequence[str]:
        """What the run warned of, in the page's language, without what its words and its lines say already."""
        known = {messages.WITHOUT_THE_NEWEST_BECAUSE.code}
        sentences = {translated(part) for part in parts_of(self.run.error_message)}
        sentences |= {line.sentence for line in self.lines}
        warned = [translated(one) for one in self.run.warnings if code_of(one) not in known]
        return [warning for warning in warned if warning not in sentences]

    @property
    def nothing_deleted(self) -> bool:
        """Whether the deletion came to its end on both sides and found nothing to delete."""
        cells = [cell for row in self.purge for cell in (row.remote, row.local) if cell is not None]
        return bool(cells) and all(cell.state == "done" and not cell.deleted and not cell.kept for cell in cells)

    @property
    def synced(self) -> bool:
        """Whether a sync of this run has a log."""
        return self.run.sync_status in (SyncStatus.SUCCESS, SyncStatus.FAILED) and not self.running

    @property
    def sync_conflicts(self) -> int:
        """How many documents had changed on both sides."""
        return sum(step.counts.get("conflicts", 0) for step in self.run.steps if step.name == "sync")

    @property
    def browsable(self) -> bool:
        return self.status in (Status.SUCCESS, Status.PARTIAL) and self.run.files == Files.HERE

    @property
    def keepable(self) -> bool:
        """Whether what is left of the deletion can be kept after all."""
        return self.run.keep_available


def make_panel(run: RunRecord, *, now: datetime, limit_seconds: int | None = None) -> RunPanel:
    """Given a run's document, return its panel. `limit_seconds` is how long a backup may copy."""
    restores = restore_result.is_restore(run)
    lines = restore_steps.lines(run, now=now) if restores else run_steps.lines(run, now=now)
    running = run.status == Status.IN_PROGRESS
    current = _current(lines) if running and run.phase != Phase.QUEUED else None
    began, ended = run.created_at, run.finished_at
    per_second, left = _pace(current) if running else (None, None)
    purge = purge_rows(run)
    words = restore_wording.words(run) if restores else _words(run, lines, purge)
    above = [translated(part) for part in parts_of(run.error_message)]
    return RunPanel(
        run=run,
        id=run.backup_id,
        status=Status(run.status),
        words=words,
        lines=lines if restores or running else [_once(line, above, purge) for line in lines],
        current=current,
        seconds=max(0.0, ((ended if ended and not running else now) - began).total_seconds()),
        seconds_left=left,
        documents_per_second=per_second,
        silent_seconds=_silence(run, now) if running else None,
        queued=run.phase == Phase.QUEUED,
        cancellable=running and run.phase in declarations.cancellable_phases() and not run.cancel_requested,
        cancelling=running and run.cancel_requested,
        purge=purge,
        announce=_announcement(lines, current) if running else "",
        stops_after_seconds=_limit_near(current, limit_seconds),
        restore=restore_result.shown_restore(run) if restores else None,
    )


def _limit_near(current: Line | None, limit_seconds: int | None) -> int | None:
    """The limit, when four fifths of it have passed while a backup copies."""
    if current is None or not limit_seconds or current.key != "backup" or current.act != run_steps.copying():
        return None
    return limit_seconds if (current.seconds or 0) >= 0.8 * limit_seconds else None


def _words(run: RunRecord, lines: Sequence[Line], purge: Sequence[PurgeRow]) -> panel_words.Words:
    return run_wording.run_words(run, lines=lines, purge_left=_left_on_atlas(purge))


def _once(line: Line, stated_above: Collection[str], purge: Sequence[PurgeRow]) -> Line:
    """A line that failed does not say again what the words above it say; one that deleted leaves that to the table."""
    if purge and line.key.startswith("purge") and line.state is StepState.DONE:
        return replace(line, sentence="")
    sentences = line.state is StepState.FAILED and line.sentence in stated_above
    return replace(line, sentence=_("Failed")) if sentences else line


def _current(lines: Sequence[Line]) -> Line | None:
    """The line that runs or, between two of them, the one that comes next."""
    for state in (StepState.RUNNING, StepState.WAITING):
        found = next((line for line in lines if line.state is state), None)
        if found is not None:
            return found
    return None


def purge_rows(run: RunRecord) -> list[PurgeRow]:
    """Return, for each collection that was to be purged, what is done on either side."""
    purge = run.purge
    counts = run_steps.documents_of(run)
    two_sided = Side.REMOTE in purge.sides
    return [
        PurgeRow(
            collection=name,
            remote=_cell(purge, Side.REMOTE, name, counts) if two_sided else None,
            local=_cell(purge, Side.LOCAL, name, counts),
        )
        for name in purge.collections
    ]


def _cell(purge: PurgeRecord, side: Side, name: str, counts: dict[str, int]) -> SideCell:
    entry = purge.side(side).get(name)
    documents = counts.get(name, 0)
    if entry is None:
        return SideCell(deleted=0, documents=documents, kept=0, state="not_begun")
    state, deleted = "done" if entry.done else "stopped", entry.deleted or 0
    return SideCell(deleted=deleted, documents=max(documents, deleted), kept=entry.kept_changed, state=state)


def _left_on_atlas(rows: Sequence[PurgeRow]) -> list[tuple[str, int]]:
    return [
        (row.collection, row.remote.documents - row.remote.deleted)
        for row in rows
        if row.remote is not None and row.remote.state != "done" and row.remote.documents > row.remote.deleted
    ]


def _pace(line: Line | None) -> tuple[int | None, float | None]:
    """Documents a second and seconds left, once the step has run long enough to report."""
    found = pace(done=line.done, total=line.total, seconds=line.seconds or 0) if line is not None else None
    if line is None or found is None:
        return None, None
    left = found.seconds_left if (line.seconds or 0) >= ESTIMATE_AFTER_SECONDS else None
    return max(1, round(found.per_second)), left


def _silence(run: RunRecord, now: datetime) -> float | None:
    """Seconds since a counter of the running step moved, or since it began; None where that is no time at all."""
    running = next((step for step in run.steps if step.state is StepState.RUNNING), None)
    moved = (running and (running.moved_at or running.started_at)) or run.heartbeat_at
    seconds = (now - moved).total_seconds() if moved else 0.0
    return seconds if seconds > SILENT_AFTER_SECONDS else None


def _announcement(lines: Sequence[Line], current: Line | None) -> str:
    """Stated to screen readers at each change of step and at each quarter of one, not every second."""
    if current is None:
        return _("The backup waits for a worker.")
    quarter = 25 * (4 * current.done // current.total) if current.total else 0
    return _("Step %(n)s of %(all)s: %(title)s, %(percent)s percent.") % {
        "n": current.number, "all": len(lines), "title": current.title, "percent": formats.grouped(quarter),
    }  # fmt: skip
