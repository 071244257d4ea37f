"""Carries a run from its claim to its outcome: lease, steps, compare-and-set, what its end is called."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app.errors import OwnershipLost, RunCancelled, TempleOpsError
from backups_app.messages import runs as messages
from backups_app.mongo import connections
from backups_app.mongo.refusals import refusals
from backups_app.records import Side, StepState
from backups_app.runs import declarations
from backups_app.runs.closing import closing
from backups_app.runs.context import Run, Step, StepResult

logger = logging.getLogger(__name__)


def waiting_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the `steps` of a new run document: all of them waiting."""
    return [
        {
            "name": step.NAME,
            "state": StepState.WAITING.value,
            "sentence": "",
            "counts": {},
            "labels": [],
            "started_at": None,
            "finished_at": None,
        }
        for step in steps
    ]


def carry_out(run: Run, *, steps: Sequence[Step], again: bool = False) -> None:
    """Perform the steps in their order and write the outcome. A step that is done or skipped already is passed over,
    unless all are performed `again`.

    0. Give the record the steps of this version: a run may have been queued before an upgrade that added one.
    1. Enter the step: its phase and its begin in one compare-and-set. A cancel that was asked for before ends the loop.
    2. Perform it. A failure ends the loop: nothing later is begun. It is recorded with its name, and a defect of ours
       with its traceback in the log.
    3. Record how it ended, in the run's document and in the copy that later steps read.
    4. After the loop, conclude the outcome from what is there and write it.

    `OwnershipLost` ends the run without a trace: it has another owner, who writes its end. When the local server does
    not answer, nothing can be recorded: the run is left to recovery.
    """
    error: TempleOpsError | None = None
    run.progress.start()
    try:
        with _left_to_recovery(run):
            _renew_steps(run, steps)
            for index, step in _outstanding(run, steps, again=again):
                if not _enter(run, step=step, index=index):
                    error = RunCancelled()
                    break
                begun = time.monotonic()
                result, error = _perform(run, step)
                _record(run, index=index, result=result)
                if error is not None:
                    break
                _announce_end(run, step, result, seconds=round(time.monotonic() - begun, 3))
            closing.finish(run, error=error)
    except OwnershipLost:
        logger.warning("Stopped: the run has another owner", extra={"backup_id": run.backup_id})
    finally:
        run.progress.stop()


def _renew_steps(run: Run, steps: Sequence[Step]) -> None:
    """Let the record name the steps of this version, where another one queued the run."""
    stored = run.document.stored_steps
    entries = of_this_version(stored, steps)
    if entries == stored:
        return
    run.ownership.write(phase=run.progress.phase, changes={"steps": entries})
    run.document.apply({"steps": entries})
    logger.warning("Another version queued the run; it gets this one's steps", extra={"backup_id": run.backup_id})


def of_this_version(stored: Sequence[dict[str, Any]], steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the stored entries without those that wait for a step which this version does not have, and with a waiting
    one for each of `steps` that has none: before the next step that has one, or at the end."""
    waiting = StepState.WAITING.value
    entries = [one for one in stored if one.get("state") != waiting or declarations.find(str(one.get("name")))]
    at = len(entries)
    for step, entry in zip(reversed(steps), reversed(waiting_steps(steps)), strict=True):
        known = next((place for place, one in enumerate(entries) if one.get("name") == step.NAME), None)
        at = at if known is None else known
        if known is None:
            entries.insert(at, entry)
    return entries


def _outstanding(run: Run, steps: Sequence[Step], *, again: bool) -> Iterator[tuple[int, Step]]:
    """Yield the steps that are neither done nor skipped, or all of them, each with its place in the document."""
    names = [step.name for step in run.document.steps]
    for step in steps:
        index = names.index(step.NAME)
        if again or run.document.steps[index].state not in (StepState.DONE, StepState.SKIPPED):
            yield index, step


def _enter(run: Run, *, step: Step, index: int) -> bool:
    """Move the run into the step's phase. Return False when a cancel was asked for before its purge began.

    A step of an earlier attempt, which a resumed run did not come to again, keeps what it did then.
    """
    begun = {"state": StepState.RUNNING.value, "started_at": timezone.now()}
    changes = {"phase": step.PHASE.value} | {f"steps.{index}.{key}": value for key, value in begun.items()}
    obeys = run.progress.cancel_is_obeyed
    if not run.ownership.write(phase=run.progress.phase, changes=changes, unless_cancelled=obeys):
        if run.document.steps[index].state is StepState.WAITING:
            not_begun = StepResult(state=StepState.CANCELLED, sentence=messages.NOT_BEGUN_CANCELLED())
            _record(run, index=index, result=not_begun)
        return False
    run.document.apply(changes)
    run.progress.enter(step=index, phase=step.PHASE)
    run.progress.cancel_is_obeyed = step.CANCELLABLE
    logger.info("Step started", extra={"backup_id": run.backup_id, "step": step.NAME})
    return True


def _perform(run: Run, step: Step) -> tuple[StepResult, TempleOpsError | None]:
    """Perform a step. Return its result and, where it did not succeed, the failure by its name. Raise `OwnershipLost`
    alone."""
    try:
        return step.perform(run), None
    except OwnershipLost:
        raise
    except RunCancelled as cancelled:
        return StepResult(state=StepState.CANCELLED, sentence=messages.CANCELLED_STEP()), cancelled
    except TempleOpsError as error:
        return StepResult(state=StepState.FAILED, sentence=error.reason or error.detail), error
    except PyMongoError as failure:  # of the local server: what is asked of Atlas is asked by its name
        return _unexpected(run, refusals.named(failure, side=Side.LOCAL) or TempleOpsError(), cause=failure)
    except Exception as failure:  # noqa: BLE001  (the last place that can record a defect of ours in the run)
        return _unexpected(run, TempleOpsError(), cause=failure)


def _unexpected(run: Run, error: TempleOpsError, *, cause: Exception) -> tuple[StepResult, TempleOpsError]:
    logger.error("Step ended by an unexpected failure", exc_info=cause, extra={"backup_id": run.backup_id})
    return StepResult(state=StepState.FAILED, sentence=error.detail), error


def _announce_end(run: Run, step: Step, result: StepResult, *, seconds: float) -> None:
    run.progress.listener.step_ended(name=step.NAME, state=result.state, seconds=seconds, sentence=result.sentence)
    logger.info("Step finished", extra={"backup_id": run.backup_id, "step": step.NAME, "seconds": seconds})


def _record(run: Run, *, index: int, result: StepResult) -> None:
    """Write how a step ended, in the run's document and in the copy that later steps read."""
    ended = {
        "state": result.state.value,
        "sentence": result.sentence,
        "counts": dict(result.counts),
        "labels": run.progress.labels(),
        "finished_at": timezone.now(),
    }
    changes = {f"steps.{index}.{key}": value for key, value in ended.items()} | dict(result.changes)
    run.document.apply(changes | {"warnings": [*run.document.warnings, *result.warnings]})
    run.ownership.write(phase=run.progress.phase, changes=changes, warnings=result.warnings)


@contextlib.contextmanager
def _left_to_recovery(run: Run) -> Iterator[None]:
    """When the local server is down the run's record cannot be written: leave it to recovery, and say so in the log."""
    try:
        yield
    except PyMongoError as failure:
        if not connections.is_unreachable(failure):
            raise
        logger.error("The run's record cannot be written; recovery will close it", exc_info=failure)
        raise OwnershipLost from failure
