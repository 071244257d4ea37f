"""The local database is copied into `.partial-<id>/`, a folder that nobody takes for a backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from django.utils.translation import gettext_noop

from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.mongo.mongodump_process import ChildProcess
from backups_app.records import INTERNAL, UNDUMPED_INTERNAL, CollectionInfo, Phase, StepState
from backups_app.runs.context import Group, Run, StepResult

NAME = "dump"
TITLE = gettext_noop("Back up")
GROUP = Group.BACKUP
PHASE = Phase.DUMPING
CANCELLABLE = True


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
        on_child=lambda child: _remember(run, child),
    )
    run.dump = report
    return StepResult(
        state=StepState.DONE,
        sentence=_copied(report.expected),
        changes={
            "child": None,
            "engine": report.engine,
            "engine_version": report.engine_version,
            "server_version": report.server_version,
            "consistency": report.consistency,
        },
    )


def _copied(expected: Sequence[CollectionInfo]) -> Message:
    own = sum(1 for info in expected if info.name in INTERNAL)
    return messages.COPIED(n=len(expected) - own, own=own)


def _remember(run: Run, child: ChildProcess) -> None:
    """Record mongodump's process, so that recovery can end it when this process is gone."""
    run.ownership.write(phase=PHASE, changes={"child": asdict(child)})
