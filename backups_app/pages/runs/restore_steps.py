"""The steps of a restore as the panel draws them: Check, Safety backup, Write, Verify."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app import formats
from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.pages.runs import counts_text, run_steps
from backups_app.pages.runs.run_steps import GOOD, Line
from backups_app.pages.shared.translation import translated
from backups_app.pages.shared.wording import size_text
from backups_app.records import RunKind, StepState
from backups_app.runs.context import Group

SUMS = ("inserted", "replaced", "deleted", "unchanged")


def lines(run: RunRecord, *, now: datetime) -> list[Line]:
    """Given a run's document, return its lines in the order of the work.

    Each collection is proven as soon as it is written. That is one step of the run, and two lines here: what was
    written, and what was seen afterwards.
    """
    groups: dict[str, list[StepRecord]] = {}
    for group, steps in run_steps.grouped(run).items():
        groups.setdefault(group if group in (Group.CHECK, Group.WRITE) else "safety", []).extend(steps)
    drawn = [_line(number, key, steps, run, now) for number, (key, steps) in enumerate(groups.items(), start=1)]
    return [*drawn, _verify(drawn[-1], run)]


def _line(number: int, key: str, steps: list[StepRecord], run: RunRecord, now: datetime) -> Line:
    state = run_steps.fold([step.state for step in steps])
    bars = run_steps.bars_of(key, steps) if state is not StepState.WAITING else []
    done, total = run_steps.counted("backup" if key == "safety" else key, steps)
    return Line(
        number=number,
        key=key,
        title=_title(key, state, run),
        state=state,
        sentence=_sentence(key, state, steps, run),
        seconds=run_steps.seconds_of(steps, now),
        bars=bars,
        done=done,
        total=total,
    )


def _verify(write: Line, run: RunRecord) -> Line:
    """What was seen after the writing, hash by hash, of every collection that came to its end."""
    sums, seen = run.restore.sums, len(run.restore.collections)
    proven, differing = counts_text.compared_with_plan(sums.get("proven", 0)), sums.get("differing", 0)
    sentence, state = "", write.state
    if write.state in (*GOOD, StepState.WARNING):
        state = StepState.WARNING if differing else StepState.DONE
        sentence = proven
        if differing:
            sentence += "; " + counts_text.not_as_planned(differing)
    elif write.state is StepState.RUNNING:
        state = StepState.WAITING
        sentence = _("Each collection as soon as it is written: %(done)s of %(all)s so far") % {
            "done": seen, "all": max(seen, len(run.restore.taken)),
        }  # fmt: skip
    elif seen:
        sentence = proven
    title = _("Verified") if state is StepState.DONE else _("Verify")
    return replace(
        write, number=write.number + 1, key="proof", title=title, state=state, sentence=sentence, seconds=None,
        bars=(), done=0, total=0,
    )  # fmt: skip


def _title(key: str, state: StepState, run: RunRecord) -> str:
    done, running = state in (StepState.DONE, StepState.WARNING), state is StepState.RUNNING
    if key == "check" and run.restore.copy_at:
        where = {"target": run.restore.copy_at}
        text = (
            _("Fetched the copy from %(target)s and checked it")
            if done
            else _("Fetching and checking the copy at %(target)s")
            if running
            else _("Fetch and check the copy at %(target)s")
        )
        return text % where
    if key == "check":
        return _("Checked the backup") if done else _("Checking the backup") if running else _("Check the backup")
    if key == "safety":
        return _("Safety backup made") if done else _("Making the safety backup") if running else _("Safety backup")
    if run.kind == RunKind.REHEARSAL:
        return _("Restored into a scratch database") if done else _("Restore into a scratch database")
    return _("Written") if done else _("Writing") if running else _("Write")


def _sentence(key: str, state: StepState, steps: list[StepRecord], run: RunRecord) -> str:
    if state in (StepState.FAILED, StepState.CANCELLED):
        return next((translated(step.sentence) for step in steps if step.state is state), "")
    if key == "safety":
        return _safety(state, run)
    if key == "check" and state is StepState.DONE:
        return _("Every byte is as it was when it was verified")
    if key == "write" and state in (StepState.DONE, StepState.WARNING):
        return sums_text(run)
    return ""


def _safety(state: StepState, run: RunRecord) -> str:
    if state is StepState.DONE:
        facts = {"documents": formats.grouped(run.documents or 0), "size": size_text(run.size_bytes or 0)}
        return (
            ngettext(
                "%(documents)s document, %(size)s: everything as it was before, verified",
                "%(documents)s documents, %(size)s: everything as it was before, verified",
                run.documents or 0,
            )
            % facts
        )
    return _("Everything as it is now, so that this can be undone") if state is not StepState.RUNNING else ""


def sums_text(run: RunRecord) -> str:
    """Return `1,240 added, 0 overwritten, 0 deleted, 12 unchanged`."""
    sums = run.restore.sums
    return _("%(inserted)s added, %(replaced)s overwritten, %(deleted)s deleted, %(unchanged)s unchanged") % {
        name: formats.grouped(sums.get(name, 0)) for name in SUMS
    }
