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
from backups_app.mongo import connections, refusals
from backups_app.records import Side, StepState
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


def carry_out(run: Run, *, steps: Sequence[Step]) -> None:
    """Perform the steps in their order and write the outcome.

    1. a step that raises ends the run: nothing later is begun;
    2. `OwnershipLost` ends it without a trace: the run has another owner, who writes its end;
    3. whatever else is raised is recorded with its name, and a defect of ours with its traceback in the log;
    4. when the local server does not answer, nothing can be recorded: the run is left to recovery.
    """
    run.progress.start()
    try:
        with _left_to_recovery(run):
            error = _perform_all(run, steps)
            closing.finish(run, error=error)
    except OwnershipLost:
        logger.warning("Stopped: the run has another owner", extra={"backup_id": run.backup_id})
    finally:
        run.progress.stop()


def _perform_all(run: Run, steps: Sequence[Step]) -> TempleOpsError | None:
    names = [step.name for step in run.document.steps]
    for step in steps:
        index = names.index(step.NAME)
        if run.document.steps[index].state in (StepState.DONE, StepState.SKIPPED):
            continue
        if not _enter(run, step=step, index=index):
            return RunCancelled()
        error = _perform(run, step=step, index=index)
        if error is not None:
            return error
    return None


def _enter(run: Run, *, step: Step, index: int) -> bool:
    """Move the run into the step's phase. Return False when a cancel was asked for before its purge began."""
    begun = {"state": StepState.RUNNING.value, "started_at": timezone.now()}
    changes = {"phase": step.PHASE.value} | {f"steps.{index}.{key}": value for key, value in begun.items()}
    obeys = run.progress.cancel_is_obeyed
    if not run.ownership.write(phase=run.progress.phase, changes=changes, unless_cancelled=obeys):
        _record(run, index=index, result=StepResult(state=StepState.CANCELLED, sentence=messages.NOT_BEGUN_CANCELLED()))
        return False
    run.document.apply(changes)
    run.progress.enter(step=index, phase=step.PHASE)
    run.progress.cancel_is_obeyed = step.CANCELLABLE
    logger.info("Step started", extra={"backup_id": run.backup_id, "step": step.NAME})
    return True


def _perform(run: Run, *, step: Step, index: int) -> TempleOpsError | None:
    begun = time.monotonic()
    try:
        result = step.perform(run)
    except OwnershipLost:
        raise
    except RunCancelled as cancelled:
        _record(run, index=index, result=StepResult(state=StepState.CANCELLED, sentence=messages.CANCELLED_STEP()))
        return cancelled
    except TempleOpsError as error:
        _record(run, index=index, result=StepResult(state=StepState.FAILED, sentence=error.reason or error.detail))
        return error
    except PyMongoError as failure:  # of the local server: what is asked of Atlas is asked by its name
        named = refusals.named(failure, side=Side.LOCAL) or TempleOpsError()
        return _unexpected(run, index=index, error=named, cause=failure)
    except Exception as failure:  # noqa: BLE001  (the last place that can record a defect of ours in the run)
        return _unexpected(run, index=index, error=TempleOpsError(), cause=failure)
    _record(run, index=index, result=result)
    seconds = round(time.monotonic() - begun, 3)
    run.progress.listener.step_ended(name=step.NAME, state=result.state, seconds=seconds, sentence=result.sentence)
    logger.info("Step finished", extra={"backup_id": run.backup_id, "step": step.NAME, "seconds": seconds})
    return None


def _unexpected(run: Run, *, index: int, error: TempleOpsError, cause: Exception) -> TempleOpsError:
    logger.error("Step ended by an unexpected failure", exc_info=cause, extra={"backup_id": run.backup_id})
    _record(run, index=index, result=StepResult(state=StepState.FAILED, sentence=error.detail))
    return error


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
