"""The local database is copied into `.partial-<id>/`, a folder that nobody takes for a backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_noop

from backups_app.backup_files import durable, layout, locks
from backups_app.dump.base.base_state import BaseState
from backups_app.dump.python_dump import PythonDump
from backups_app.dump.report import DumpReport
from backups_app.errors import VerificationFailed
from backups_app.messages import runs as messages
from backups_app.messages.message import Message, together
from backups_app.mongo.mongodump_process import ChildProcess
from backups_app.records import INTERNAL, UNDUMPED_INTERNAL, CollectionInfo, Phase, StepState
from backups_app.runs import incremental_base, incremental_stream
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.incremental_base import ChosenBase
from backups_app.runs.steps import preflight

NAME = "dump"
TITLE = gettext_noop("Back up")
GROUP = Group.BACKUP
PHASE = Phase.DUMPING
CANCELLABLE = True


def perform(run: Run) -> StepResult:
    """Dump with the chosen engine. Raise `DumpFailed`, `DumpTimedOut`, `DiskFull`, …"""
    assert run.engine is not None, "preflight chooses the engine"
    out = run.store.make_partial(run.backup_id)
    base, sentences = _base(run)
    beginning = None if run.base else incremental_stream.here_and_now(run)
    options: dict[str, Any] = {
        "database": run.local,
        "uri": run.configuration.local_url,
        "excluded": UNDUMPED_INTERNAL,
        "timeout_seconds": run.configuration.mongodump_timeout_seconds,
        "progress": run.progress,
    }
    if run.base is not None:
        durable.make_directory(out / layout.DELTA)
        assert isinstance(run.engine, PythonDump), "preflight chooses the built-in engine"
        report = run.engine.dump(out=out / layout.DELTA, base=base, **options)
    else:
        report = run.engine.dump(out=out, on_child=lambda child: _remember(run, child), **options)
    run.dump = report
    return StepResult(
        state=StepState.DONE,
        sentence=together(*sentences, _changed(run.base, report) if run.base else _copied(report.expected)),
        changes={
            "incremental": run.base.as_document(by_stream=report.by_stream) if run.base else None,
            "stream": incremental_stream.kept_of(run, beginning, report),
            "child": None,
            "engine": report.engine,
            "engine_version": report.engine_version,
            "server_version": report.server_version,
            "consistency": report.consistency,
        },
        warnings=report.notices,
    )


def _base(run: Run) -> tuple[BaseState | None, tuple[Message, ...]]:
    """Return what is known of the base of an incremental. A base that is not what was verified is none: then a full
    backup is made, and says why. Raise `DiskFull` where there is no room for that."""
    if run.base is None:
        return None, ()
    with locks.reading(run.store.root, run.base.backup_id):
        try:
            digests = incremental_base.digests(
                folder=run.base.backup.folder, manifest=run.base.manifest, progress=run.progress
            )
        except VerificationFailed as failed:
            backup_id, run.base = run.base.backup_id, None
            preflight.require_room(run, int(run.local.command("dbStats")["dataSize"]))
            return None, (messages.FULL_FOR_DAMAGE(backup_id=backup_id, problem=failed.facts["problem"]),)
    uuids = {name: entry.uuid for name, entry in run.base.manifest.collections.items()}
    stream, sentences = incremental_stream.start(run, run.base)
    counters = incremental_stream.counters_of(run.base)
    return BaseState(digests=digests, uuids=uuids, stream=stream, counters=counters), sentences


def _changed(base: ChosenBase, report: DumpReport) -> Message:
    """Count the temple's documents; our own records change with every run."""
    changes = [change for name, change in report.changes.items() if name not in INTERNAL]
    written, gone = sum(one.written for one in changes), sum(one.gone for one in changes)
    return messages.COPIED_CHANGES(n=written, gone=gone, backup_id=base.backup_id)


def _copied(expected: Sequence[CollectionInfo]) -> Message:
    own = sum(1 for info in expected if info.name in INTERNAL)
    return messages.COPIED(n=len(expected) - own, own=own)


def _remember(run: Run, child: ChildProcess) -> None:
    """Record mongodump's process, so that recovery can end it when this process is gone."""
    run.ownership.write(phase=PHASE, changes={"child": asdict(child)})
