"""The steps of a run as the panel draws them: what is done, what runs and how far, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app import formats
from backups_app.catalog.run.run_parts import LabelRecord, StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import DatabaseUnreachable
from backups_app.pages.shared.translation import translated
from backups_app.pages.shared.wording import size_text
from backups_app.records import INTERNAL, Side, StepState, SyncStatus, purgeable
from backups_app.runs import declarations
from backups_app.runs.context import Group

GOOD = (StepState.DONE, StepState.SKIPPED)
LOOKS = {
    StepState.DONE: "done",
    StepState.RUNNING: "now",
    StepState.WARNING: "warn",
    StepState.FAILED: "bad",
}
MARKS = {StepState.DONE: "circle-check", StepState.RUNNING: "loader-circle", StepState.WARNING: "triangle-alert",
         StepState.FAILED: "circle-x", StepState.SKIPPED: "circle-minus"}  # fmt: skip
FIRST_BARS = 3
BLINK_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One collection: `done` of `total` documents."""

    name: str
    done: int
    total: int

    @property
    def finished(self) -> bool:
        return self.total > 0 and self.done >= self.total


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the stepper. `number` counts from 1; `seconds` is None before it began; `act` names the pass that
    moves: a backup copies every document and then checks it."""

    number: int
    key: str
    title: str
    state: StepState
    sentence: str
    seconds: float | None
    act: str = ""
    bars: Sequence[Bar] = ()
    done: int = 0
    total: int = 0

    @property
    def shown_done(self) -> int:
        """Documents of the pass that moves: a backup is two of them, copying and checking."""
        return sum(bar.done for bar in self.bars)

    @property
    def shown_total(self) -> int:
        return sum(max(bar.total, bar.done) for bar in self.bars)

    @property
    def look(self) -> str:
        return LOOKS.get(self.shown, "")

    @property
    def took(self) -> float | None:
        """Seconds, where anything was done: a line that was never begun took none."""
        idle = self.state in (StepState.SKIPPED, StepState.CANCELLED, StepState.WAITING)
        return None if idle and (self.seconds or 0.0) < BLINK_SECONDS else self.seconds

    @property
    def mark(self) -> str:
        return MARKS.get(self.shown, "")

    @property
    def shown(self) -> StepState:
        """A deletion that stopped can go on, and nothing is lost by it: a warning, not a disaster."""
        stopped = self.state is StepState.FAILED and self.key.startswith("purge")
        return StepState.WARNING if stopped else self.state

    @property
    def first_bars(self) -> Sequence[Bar]:
        return self.bars[:FIRST_BARS]

    @property
    def other_bars(self) -> Sequence[Bar]:
        return self.bars[FIRST_BARS:]


def lines(run: RunRecord, *, now: datetime) -> list[Line]:
    """Given a run's document, return its lines in the order of the work."""
    return [_line(number, key, steps, run, now) for number, (key, steps) in enumerate(grouped(run).items(), start=1)]


def grouped(run: RunRecord) -> dict[str, list[StepRecord]]:
    """Return the steps of a run by the line under which they stand, as the steps declare it."""
    groups: dict[str, list[StepRecord]] = {}
    for step in run.steps:
        groups.setdefault(declarations.group_of(step.name), []).append(step)
    return groups


def documents_of(run: RunRecord) -> dict[str, int]:
    """Return how many documents each collection of the backup holds, as far as the steps have reported."""
    found: dict[str, int] = {}
    for step in run.steps:
        if step.name in ("dump", "verify"):
            found |= {label.name: label.total or label.done for label in step.labels}
    return found


def _line(number: int, key: str, steps: list[StepRecord], run: RunRecord, now: datetime) -> Line:
    state = fold([step.state for step in steps])
    bars = bars_of(key, steps) if state is not StepState.WAITING else []
    done, total = counted(key, steps)
    return Line(
        number=number,
        key=key,
        title=_title(key, state, run) or _(declarations.title_of(steps[0].name)),
        state=state,
        sentence=_sentence(key, state, steps, run),
        seconds=seconds_of(steps, now),
        act=_act(steps),
        bars=bars,
        done=done,
        total=total,
    )


def fold(states: Sequence[StepState]) -> StepState:
    """Return the one state of several steps in a row: the worst, and "running" between two of them."""
    for loud in (StepState.FAILED, StepState.CANCELLED, StepState.RUNNING, StepState.WARNING):
        if loud in states:
            return loud
    if all(state in GOOD for state in states):
        return states[-1]
    return StepState.WAITING if all(state is StepState.WAITING for state in states) else StepState.RUNNING


def bars_of(key: str, steps: Sequence[StepRecord]) -> list[Bar]:
    """Return the collections of the step that moved last. Of a sync, only what it names itself."""
    begun = [step for step in steps if step.labels]
    if not begun:
        return []
    labels = [label for label in begun[-1].labels if label.name not in INTERNAL]
    return in_order([Bar(name=label.name, done=label.done, total=label.total or 0) for label in labels])


def in_order(bars: Sequence[Bar]) -> list[Bar]:
    """Return bars as people look for them: what moves, the longest that is through, what waits, the rest."""
    longest = sorted(bars, key=lambda bar: (-bar.total, bar.name))
    through = [bar for bar in longest if bar.finished or not bar.total]
    moving = [bar for bar in longest if bar.done and not bar.finished]
    waiting = [bar for bar in longest if bar not in through and bar not in moving]
    return [*moving, *through[:1], *waiting, *through[1:]]


def counted(key: str, steps: Sequence[StepRecord]) -> tuple[int, int]:
    """Documents done and to do. A backup passes each twice, copying and checking, so that its bar never goes back."""
    done = total = 0
    for step in steps:
        done += sum(label.done for label in step.labels)
        total += sum(max(label.total or 0, label.done) for label in step.labels)
    if key == "backup" and steps and not _labels_of(steps, "verify"):
        total *= 2
    return done, total


def _labels_of(steps: Sequence[StepRecord], name: str) -> Sequence[LabelRecord]:
    return next((step.labels for step in steps if step.name == name), ())


def seconds_of(steps: Sequence[StepRecord], now: datetime) -> float | None:
    """Return how long these steps took, or have taken so far; None before the first began."""
    begun = [step.started_at for step in steps if step.started_at]
    if not begun:
        return None
    ends = [step.finished_at or now for step in steps if step.started_at]
    return max(0.0, (max(ends) - begun[0]).total_seconds())


def _title(key: str, state: StepState, run: RunRecord) -> str:
    count = len(run.collections_backed_up) or len(set(documents_of(run)) - INTERNAL)
    done, running = state is StepState.DONE, state is StepState.RUNNING
    if key == "sync":
        return _("Synced with Atlas") if done else _("Syncing with Atlas") if running else _("Sync")
    if key == "backup" and done and count:
        return ngettext(
            "Backed up and verified %(n)s collection", "Backed up and verified %(n)s collections", count
        ) % {"n": count}
    if key == "backup" and running and count:
        return ngettext(
            "Backing up and verifying %(n)s collection", "Backing up and verifying %(n)s collections", count
        ) % {"n": count}
    if key == "backup":
        return _("Back up and verify")
    if key.startswith("purge") and state is StepState.FAILED:
        return _stopped(key, run)
    if key == "purge_remote":
        return _("Deleted on Atlas") if done else _("Deleting on Atlas") if running else _("Delete on Atlas")
    if key == "purge_local":
        if done:
            return _("Deleted on this computer")
        return _("Deleting on this computer") if running else _("Delete on this computer")
    return ""


def _stopped(key: str, run: RunRecord) -> str:
    """`Delete on Atlas: stopped half-way, 1,410 of 1,602 deleted`."""
    purge, counts = run.purge, documents_of(run)
    deleted = sum(entry.deleted or 0 for entry in purge.side(Side(key.removeprefix("purge_"))).values())
    facts = {
        "done": formats.grouped(deleted),
        "all": formats.grouped(max(deleted, sum(counts.get(name, 0) for name in purge.collections))),
    }
    if key == f"purge_{Side.REMOTE}":
        return _("Delete on Atlas: stopped half-way, %(done)s of %(all)s deleted") % facts
    return _("Delete on this computer: stopped half-way, %(done)s of %(all)s deleted") % facts


def _sentence(key: str, state: StepState, steps: Sequence[StepRecord], run: RunRecord) -> str:
    if state is StepState.SKIPPED and run.sync_status == SyncStatus.SKIPPED and key in (Group.SYNC, Group.PURGE_REMOTE):
        return _("Skipped: sync is off")
    if key == "backup" and state is StepState.RUNNING:
        return _moving(steps)
    if key == "backup" and state is StepState.DONE:
        documents, size = run.documents or 0, size_text(run.size_bytes or 0)
        return ngettext(
            "%(documents)s document, %(size)s, all counts match",
            "%(documents)s documents, %(size)s, all counts match",
            documents,
        ) % {"documents": formats.grouped(documents), "size": size}
    if key.startswith("purge") and state is StepState.WAITING:
        return _planned(key, run)
    if key.startswith("purge") and state is StepState.FAILED and _server_unreachable(steps[-1]):
        return _("The connection was lost.")
    if state in (StepState.FAILED, StepState.CANCELLED):
        return next((translated(step.sentence) for step in steps if step.state is state), "")
    shown = (step for step in reversed(steps) if step.sentence and _says(step, key, steps))
    return next((translated(step.sentence) for step in shown), "")


def _server_unreachable(step: StepRecord) -> bool:
    return step.error_code == DatabaseUnreachable.code


def _says(step: StepRecord, key: str, steps: Sequence[StepRecord]) -> bool:
    """A step that only prepares the one that gives the line its name has nothing to say beside it."""
    prepares = step.name != key and any(other.name == key for other in steps)
    quiet = prepares and step.state in GOOD
    return step.state is not StepState.WAITING and not quiet


def copying() -> str:
    """The pass of a backup that has a limit of time."""
    return _("Copying")


def _act(steps: Sequence[StepRecord]) -> str:
    acts = {"dump": copying(), "verify": _("Checking every byte"), "publish": _("Publishing")}
    return acts.get(_that_moves(steps).name, "")


def _that_moves(steps: Sequence[StepRecord]) -> StepRecord:
    return next((step for step in steps if step.state is StepState.RUNNING), steps[-1])


def _moving(steps: Sequence[StepRecord]) -> str:
    """`9 of 15 done · 7.2 MB`: how many collections are through, of the step that moves."""
    moving = _that_moves(steps)
    labels = [label for label in moving.labels if label.name not in INTERNAL]
    through = sum(1 for label in labels if label.done >= (label.total or 0))
    sentences = [_("%(done)s of %(all)s done") % {"done": through, "all": len(labels)}] if labels else []
    size = sum(label.size_bytes for label in labels)
    return " · ".join(filter(None, [*sentences, size_text(size) if size else ""]))


def _planned(key: str, run: RunRecord) -> str:
    counts = documents_of(run)
    names = purgeable(delete_bookings=run.delete_bookings_requested is True)
    if key == f"purge_{Side.LOCAL}" and run.sync_status != SyncStatus.SKIPPED:
        return _("The same documents, after Atlas is finished")
    if any(name in counts for name in names):
        return ", ".join(f"{formats.grouped(counts.get(name, 0))} {name}" for name in names)
    return ", ".join(names)
