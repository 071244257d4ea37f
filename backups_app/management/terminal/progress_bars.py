"""A run in the terminal: bars while it goes on, its outcome when it has ended."""

from __future__ import annotations

import contextlib
import getpass
import signal
import threading
from collections.abc import Iterator
from types import TracebackType

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from backups_app import errors, formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync.sync_record import SyncProof
from backups_app.errors import (
    CopyUnreadable,
    KeyMissing,
    KeyNotReadable,
    NotCancellable,
    TargetFailed,
    WrongKey,
)
from backups_app.records import Origin, RunKind, Side, Status, StepState, SyncStatus
from backups_app.runs import declarations
from backups_app.runs.closing import lost_messages
from backups_app.use_cases.backups import backups

EXIT_BY_STATUS = {Status.SUCCESS: 0, Status.PARTIAL: 3, Status.FAILED: 1, Status.CANCELLED: 130}
SPECIFIC_EXITS = {
    "verification_failed": 5,
    "disk_full": 12,
    "permission_error": 12,
    "storage_failed": 12,
    "store_missing": 12,
    "mongodump_missing": 13,
    "dump_timeout": 124,
    "cancelled": 130,
    "rehearsal_failed": 5,
}
OF_COPIES = (TargetFailed, CopyUnreadable, KeyMissing, KeyNotReadable, WrongKey)


def exit_code(run: RunRecord) -> int:
    """Return the exit code of a run that has ended: the most specific one wins (`docs/operations.md`)."""
    status = Status(run.status)
    if status == Status.FAILED:
        code = run.error_code or ""
        return SPECIFIC_EXITS.get(code) or _exit_of_copy(code) or EXIT_BY_STATUS[status]
    return EXIT_BY_STATUS.get(status, 1)


def _exit_of_copy(code: str) -> int | None:
    """Return what a command that meets this failure at a target, or with a key, ends with; None for any other."""
    kind = errors.by_code().get(code)
    return kind.exit_code if kind is not None and issubclass(kind, OF_COPIES) else None


@contextlib.contextmanager
def stop_on_interrupt(backup_id: str) -> Iterator[None]:
    """Within, Ctrl-C and SIGTERM ask the run to stop, as Cancel does: it ends tidily, or finishes its purge first."""

    def ask(_signal: int, _frame: object) -> None:
        # In a thread: the handler may have interrupted the very connection it would need.
        threading.Thread(target=_ask_to_stop, args=(backup_id,), daemon=True).start()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask_to_stop(backup_id: str) -> None:
    with contextlib.suppress(NotCancellable):
        backups.cancel(backup_id=backup_id, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now())


class Bars:
    """A `progress.Progress` that draws a bar a collection on a terminal, and a plain line each tenth elsewhere."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self.console = console
        self.verbose = verbose
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._tenths: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}
        columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def expect(self, label: str, total: int) -> None:
        with self._lock:
            self._totals[label], self._done[label], self._tenths[label] = total, 0, 0
            if label in self._tasks:
                self._progress.reset(self._tasks[label], total=total or None)
            else:
                self._tasks[label] = self._progress.add_task(label, total=total or None)

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        with self._lock:
            if label not in self._tasks:
                return
            self._progress.advance(self._tasks[label], count)
            self._done[label] += count
            self._say_tenth(label)

    def note(self, sentence: str) -> None:
        if self.verbose:
            self.console.print(f"   {sentence}", markup=False)

    def step_ended(self, *, name: str, state: StepState, seconds: float, sentence: str) -> None:
        """Print one line a step; one that was skipped is not worth one."""
        if state != StepState.SKIPPED:
            title = declarations.title_of(name)
            self.console.print(
                f" {title:<24} {state.value:<8} {seconds:6.1f} s  {sentence}", markup=False, soft_wrap=True
            )
        with self._lock:
            for task in self._tasks.values():
                self._progress.remove_task(task)
            self._tasks.clear()

    def checkpoint(self) -> None: ...

    def _say_tenth(self, label: str) -> None:
        total = self._totals[label]
        if self.console.is_terminal or total < 10_000:
            return
        tenth = self._done[label] * 10 // total
        if tenth > self._tenths[label]:
            self._tenths[label] = tenth
            self.console.print(f"{label} {tenth * 10} %", markup=False)


def outcome_lines(run: RunRecord) -> list[str]:
    """Return what to say when a run has ended: first what is safe, then what is not, then what to do."""
    if run.status == Status.IN_PROGRESS:
        return [f"Run {run.backup_id} goes on: {run.phase}."]
    lost = lost_messages.sentence(run)
    made = "Run" if run.kind in (RunKind.TEST_COPY, RunKind.REHEARSAL) else "Backup"
    lines = [f"{made} {run.backup_id}: {run.status}."]
    lines += [lost] if lost else []
    if run.collections_backed_up and not lost:
        saved = f"{len(run.collections_backed_up)} collections, {formats.grouped(run.documents or 0)} documents"
        lines.append(f"{saved}, {formats.size(run.size_bytes or 0)}, verified.")
        if run.incremental.base:
            lines.append(f"It is incremental: it begins from backup {run.incremental.base}, and is restored with it.")
    lines += _deleted(run)
    kept = run.kept_changed
    if kept:
        lines.append(f"{formats.documents(kept)} changed meanwhile and kept.")
    lines += run.warnings
    if run.error_message and not lost:
        lines.append(run.error_message)
    if run.resume_available:
        lines.append(f"Finish the deletion with: manage.py backup_resume {run.backup_id}")
    elif run.keep_available:
        lines.append(f"Keep what is left with: manage.py backup_resume {run.backup_id} --keep")
    return lines


def _deleted(run: RunRecord) -> list[str]:
    sides = {Side.LOCAL: run.collections_deleted_local, Side.REMOTE: run.collections_deleted_remote}
    if run.sync_status == SyncStatus.SKIPPED:
        del sides[Side.REMOTE]
    return [f"Deleted, {side.value}: {', '.join(sentences)}." for side, sentences in sides.items() if sentences]


def proof_line(proof: SyncProof) -> str:
    """Return a proof in one line: `equal, 23861 documents compared, 24 Nov 2026 17:00`."""
    differ = f", {proof.differing_count} documents" if proof.verdict == "differs" else ""
    if left_over := proof.not_compared:
        differ += f", not everything of {', '.join(left_over)} could be compared"
    at = timezone.localtime(proof.at)
    return f"{proof.verdict}{differ}, {proof.documents} documents compared, {at:%d %b %Y %H:%M}"
