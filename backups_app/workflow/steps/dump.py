"""The local database is copied into `.partial-<id>/`, a folder that nobody takes for a backup."""

from __future__ import annotations

from backups_app.records import UNDUMPED_INTERNAL, Phase, StepState
from backups_app.workflow.run import Run, StepResult

NAME = "dump"
PHASE = Phase.DUMPING


def perform(run: Run) -> StepResult:
    """Dump with the chosen engine. Raise `DumpFailed`, `DumpTimedOut`, `DiskFull`, …"""
    assert run.engine is not None, "preflight chooses the engine"
    report = run.engine.dump(
        database=run.local,
        uri=run.configuration.local_url,
        out=run.store.make_partial(run.backup_id),
        excluded=UNDUMPED_INTERNAL,
        timeout_seconds=run.configuration.mongodump_timeout_seconds,
        progress=run.progress,
    )
    run.dump = report
    return StepResult(
        state=StepState.DONE,
        sentence=f"{len(report.expected)} collections copied",
        changes={
            "engine": report.engine,
            "engine_version": report.engine_version,
            "server_version": report.server_version,
            "consistency": report.consistency,
        },
    )
