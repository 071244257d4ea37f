"""What a run's end is as a message: its scope, whether it is a problem, and the sentences about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backups_app import formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages.message import Message, Sentence
from backups_app.messages.protection import notifications as wording
from backups_app.notification.content import Content, Fact
from backups_app.notification.states import Kind as Notice
from backups_app.notification.states import Problem
from backups_app.records import RunKind, Side, Status
from backups_app.runs.closing import outcome

Titles = Mapping[Status, Sentence]
BACKUP: Titles = {
    Status.SUCCESS: wording.BACKUP_DONE, Status.PARTIAL: wording.BACKUP_PARTIAL, Status.FAILED: wording.BACKUP_FAILED,
}  # fmt: skip
RESTORE: Titles = {
    Status.SUCCESS: wording.RESTORE_DONE, Status.PARTIAL: wording.RESTORE_PARTIAL,
    Status.FAILED: wording.RESTORE_FAILED,
}  # fmt: skip
REHEARSAL: Titles = {
    Status.SUCCESS: wording.REHEARSAL_DONE, Status.PARTIAL: wording.REHEARSAL_FAILED,
    Status.FAILED: wording.REHEARSAL_FAILED,
}  # fmt: skip
TITLES: Mapping[str, Titles] = {RunKind.BACKUP: BACKUP, RunKind.RESTORE: RESTORE, RunKind.REHEARSAL: REHEARSAL}


DELETION = "deletion:"


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """The end of a run. `problem` is None for a success; `event` names this end once and for all. `deletion`: the
    problem is a deletion that Resume can finish; a later backup does not end it."""

    scope: str
    event: str
    problem: Problem | None
    content: Content
    deletion: bool = False


def deletion_scope(backup_id: str) -> str:
    """Return the scope of what is reported of one run's unfinished deletion."""
    return f"{DELETION}{backup_id}"


def of_run(document: RunRecord) -> RunReport | None:
    """Return the report of a run that ended. None for one that somebody cancelled, which is neither good nor bad, and
    for a test copy: who makes one looks at it."""
    kind, status = document.kind, Status(document.status)
    if kind not in TITLES or status not in TITLES[kind]:
        return None
    title = TITLES[kind][status]()
    lines = (
        (wording.BACKUP_DONE_LINE(),) if kind == RunKind.BACKUP and status is Status.SUCCESS else (reason(document),)
    )
    content = Content(
        title=title, lines=lines, facts=tuple(_facts(document)),
        path=f"/admin/backups/runs/{document.backup_id}/",
    )  # fmt: skip
    return RunReport(
        scope=kind,
        event=f"run:{document.backup_id}:{status.value}:{document.finished_at or document.created_at:%Y%m%dT%H%M%S}",
        problem=_problem(document, kind=kind, status=status),
        content=content,
        deletion=document.resume_available,
    )


def reason(document: RunRecord) -> str:
    """Return why a run did not do everything, and what is safe."""
    return outcome.message(document)


def _problem(document: RunRecord, *, kind: str, status: Status) -> Problem | None:
    """A partial backup of which somebody stated "keep after all" is no problem any more."""
    kept = document.purge.kept_after_all
    if status is Status.SUCCESS or (status is Status.PARTIAL and kept):
        return None
    cause = document.error_code or status.value
    if kind == RunKind.REHEARSAL:
        return Problem(kind=Notice.REHEARSAL_FAILED, cause=cause)
    return Problem(kind=Notice.PARTIAL if status is Status.PARTIAL else Notice.FAILED, cause=cause)


def _facts(document: RunRecord) -> Iterator[tuple[Message, Fact]]:
    yield wording.RUN(), document.backup_id
    yield wording.STARTED_AT(), document.created_at
    yield wording.FINISHED_AT(), document.finished_at or document.created_at
    if document.kind == RunKind.BACKUP and document.documents is not None:
        yield wording.SAVED(), wording.SAVED_VALUE(
            collections=wording.COLLECTIONS(n=len(document.collections_backed_up)),
            documents=wording.DOCUMENTS(n=document.documents),
            size=formats.size(document.size_bytes or 0),
        )  # fmt: skip
    for label, side in ((wording.DELETED_HERE, Side.LOCAL), (wording.DELETED_ATLAS, Side.REMOTE)):
        if deleted := outcome.deleted_messages(document.purge, side):
            yield label(), wording.DELETED_VALUE(collections=deleted)
    conflicts = _conflicts(document)
    if conflicts:
        yield wording.CONFLICTS(), formats.grouped(conflicts)
    if document.created_by:
        yield wording.STARTED_BY(), document.created_by
    if document.host:
        yield wording.COMPUTER(), document.host
    if document.error_code:
        yield wording.CODE(), document.error_code


def _conflicts(document: RunRecord) -> int:
    sync = document.step("sync")
    return int(sync.counts.get("conflicts") or 0) if sync else 0
