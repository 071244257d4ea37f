"""The local database is copied into `.partial-<id>/`, a folder that nobody takes for a backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_noop

from backups_app.backup_files import durable, layout, locks
from backups_app.dump.base_state import BaseState
from backups_app.dump.python_dump import PythonDump
from backups_app.dump.report import DumpReport
from backups_app.errors import VerificationFailed
from backups_app.messages import runs as messages
from backups_app.messages.message import Message, together
from backups_app.mongo.mongodump_process import ChildProcess
from backups_app.records import INTERNAL, UNDUMPED_INTERNAL, CollectionInfo, Phase, StepState
from backups_app.runs import incremental_base, incremental_stream
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.incremental_base import Base

NAME = "dump"
TITLE = gettext_noop("Back up")
GROUP = Group.BACKUP
PHASE = Phase.DUMPING
CANCELLABLE = True


def perform(run: Run) -> StepResult:
    """Dump with the chosen engine. Raise `DumpFailed`, `DumpTimedOut`, `DiskFull`, …"""
    assert run.engine is not None, "preflight chooses the engine"
    out = run.store.make_partial(run.backup_id)
    base, said = _base(run)
    stream = None if run.base else incremental_stream.here_and_now(run)
    told: dict[str, Any] = {
        "database": run.local,
        "uri": run.configuration.local_url,
        "excluded": UNDUMPED_INTERNAL,
        "timeout_seconds": run.configuration.mongodump_timeout_seconds,
        "progress": run.progress,
    }
    if run.base is not None:
        durable.make_directory(out / layout.DELTA)
        assert isinstance(run.engine, PythonDump), "preflight chooses the built-in engine"
        report = run.engine.dump(out=out / layout.DELTA, base=base, **told)
    else:
        report = run.engine.dump(out=out, on_child=lambda child: _remember(run, child), **told)
    run.dump = report
    return StepResult(
        state=StepState.DONE,
        sentence=together(*said, _changed(run.base, report) if run.base else _copied(report.expected)),
        changes={
            "incremental": run.base.as_document(by_stream=report.by_stream) if run.base else None,
            "stream": stream,
            "child": None,
            "engine": report.engine,
            "engine_version": report.engine_version,
            "server_version": report.server_version,
            "consistency": report.consistency,
        },
        warnings=report.told,
    )


def _base(run: Run) -> tuple[BaseState | None, tuple[Message, ...]]:
    """Return what is known of the base of an incremental. A base that is not what was verified is none: then a full
    backup is made, and says why."""
    if run.base is None:
        return None, ()
    with locks.reading(run.store.root, run.base.backup_id):
        try:
            digests = incremental_base.digests(
                folder=run.base.backup.folder, manifest=run.base.manifest, progress=run.progress
            )
        except VerificationFailed as failed:
            backup_id, run.base = run.base.backup_id, None
            return None, (messages.FULL_FOR_DAMAGE(backup_id=backup_id, problem=failed.facts["problem"]),)
    uuids = {name: entry.uuid for name, entry in run.base.manifest.collections.items()}
    stream, said = incremental_stream.start(run, run.base)
    return BaseState(digests=digests, uuids=uuids, stream=stream), said


def _changed(base: Base, report: DumpReport) -> Message:
    written = sum(one.written for one in report.changes.values())
    gone = sum(one.gone for one in report.changes.values())
    return messages.COPIED_CHANGES(n=written, gone=gone, backup_id=base.backup_id)


def _copied(expected: Sequence[CollectionInfo]) -> Message:
    own = sum(1 for info in expected if info.name in INTERNAL)
    return messages.COPIED(n=len(expected) - own, own=own)


def _remember(run: Run, child: ChildProcess) -> None:
    """Record mongodump's process, so that recovery can end it when this process is gone."""
    run.ownership.write(phase=PHASE, changes={"child": asdict(child)})
