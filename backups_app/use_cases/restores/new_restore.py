"""The document of a restore that is asked for."""

from __future__ import annotations

from datetime import datetime

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.records import Origin, RunKind
from backups_app.restore import plan
from backups_app.restore.choices import Choices
from backups_app.runs import restore_pipelines, runner
from backups_app.use_cases.backups import new_run


def new_document(
    configuration: Configuration,
    *,
    choices: Choices,
    decided: plan.Plan,
    emptied: dict[str, str],
    rehearsal: bool,
    created_by: str,
    origin: Origin,
    now: datetime,
    note: str,
) -> RunRecord:
    """Return the document of a new restore, test copy or restore test, queued and without an id. `emptied` names the
    run that deleted each collection which stays empty on purpose."""
    kind = RunKind.RESTORE if choices.in_place else RunKind.REHEARSAL if rehearsal else RunKind.TEST_COPY
    return new_run.new_document(
        configuration, created_by=created_by, delete_bookings=False, origin=origin, now=now, note=note
    ) | {
        "kind": kind.value,
        "steps": runner.waiting_steps(restore_pipelines.STEPS[kind.value]),
        "sync_status": "skipped",
        "restore": {
            "choices": choices.as_json(),
            "taken": list(decided.taken),
            "left_out": [vars(entry) for entry in decided.left_out],
            "emptied": [{"name": name, "run": run} for name, run in emptied.items()],
            "collections": [],
            "sums": {},
            "unfinished": [],
            "at_work": [],
        },
    }
