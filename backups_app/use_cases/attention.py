"""What needs attention though a backup could be made, worst first; and why there is no good backup. Pure.

What is dated in the future is evidence for nothing but a deletion that is unfinished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups_app.assurance.evidence import Finding
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import RunCancelled, TempleOpsError
from backups_app.messages import runs as run_messages
from backups_app.messages.message import Message, as_message
from backups_app.messages.protection import attention as wording
from backups_app.records import Status
from backups_app.use_cases.readiness import reach
from backups_app.use_cases.readiness.reach import Reach
from backups_app.use_cases.retention.facts import holds_something, is_signed
from backups_app.use_cases.syncs.sync_overview import SyncOverview

ROOM_FOR_BACKUPS = 5


def of_error(error: TempleOpsError) -> Finding:
    """Return a named failure as a finding: its sentence and what to do."""
    return Finding(message=as_message(error.detail), hint=as_message(error.hint) if error.hint else None)


def findings(
    *,
    good: RunRecord | None,
    every: Sequence[RunRecord],
    ended: Sequence[RunRecord],
    dated: Sequence[RunRecord],
    free_bytes: int | None,
    full_has_room: bool,
    local: Reach,
    remote: Reach | None,
    local_ahead_seconds: float,
    backs_up_without_atlas: bool,
    sync: SyncOverview | None,
) -> Iterator[Finding]:
    """Yield what needs attention. `every` are all runs, newest first; `ended` the backup runs that ended; `dated` those
    of them whose time can be trusted; `good` is the newest verified backup."""
    bad = _newest_is_gone(dated, good) or _newest_is_damaged(dated, good) or _newest_is_not_confirmed(dated, good)
    yield from filter(None, [_unfinished_deletion(ended), bad])
    yield from _bad_holders(every, but=bad.backup_id if bad else "")
    yield from filter(None, [_last_run(dated)])
    if sync and sync.with_another:
        yield Finding(message=wording.ANOTHER_ATLAS(), hint=wording.SET_ATLAS_BACK())
    for name, reason in (sync.left_over if sync else {}).items():
        yield Finding(message=wording.LEFT_OVER(collection=name, reason=as_message(reason)), hint=wording.READ_LOG())
    room = room_for(backup=good or RunRecord(), free_bytes=free_bytes)
    if not full_has_room:
        yield Finding(message=wording.NO_ROOM_FOR_FULL(), hint=wording.FREE_SPACE())
    elif room is not None and room < ROOM_FOR_BACKUPS:
        yield Finding(message=wording.LITTLE_ROOM(n=room), hint=wording.FREE_SPACE())
    for side in (local, remote):
        if side is not None and side.problem is not None and not side.is_silent:
            yield of_error(side.problem)
    if remote is not None:
        yield from _atlas(remote, local_ahead_seconds, backs_up_without=backs_up_without_atlas)


def room_for(*, backup: RunRecord, free_bytes: int | None) -> int | None:
    """Return for how many backups like this one there is room; None where its size or the disk is not known."""
    size = backup.size_bytes
    return free_bytes // size if size and free_bytes is not None else None


def two_failed(dated: Sequence[RunRecord]) -> Finding | None:
    """Return why the last two runs failed; None where one of them did not. A cancelled run is none."""
    tried = [run for run in dated if run.status != Status.CANCELLED][:2]
    if len(tried) < 2 or any(run.status != Status.FAILED for run in tried):
        return None
    return Finding(message=as_message(tried[0].message), backup_id=tried[0].backup_id)


def none_good(ended: Sequence[RunRecord], *, dated: Sequence[RunRecord]) -> Finding | None:
    """Return why no good backup is here though one was made; None where none was made."""
    ahead = next((run for run in ended if run not in dated and run.published), None)
    if ahead is not None:
        return Finding(message=wording.DATED_IN_FUTURE(run=ahead.backup_id), hint=wording.SET_CLOCK())
    away = _newest_elsewhere(dated)
    if away is not None:
        return _not_confirmed(away)
    lost = _newest_lost(dated)
    if lost is None:
        return None
    return Finding(message=wording.NONE_IS_HERE(reason=_files_gone(lost)), hint=wording.BACK_UP())


def unfinished(ended: Sequence[RunRecord]) -> RunRecord | None:
    """Return the newest run whose deletion is not finished, resumable or not; None without one."""
    return next((run for run in ended if run.resume_available or run.keep_available), None)


def _unfinished_deletion(ended: Sequence[RunRecord]) -> Finding | None:
    run = unfinished(ended)
    if run is None:
        return None
    backup_id = run.backup_id
    if run.resume_available:
        return Finding(message=wording.DELETION_UNFINISHED(run=backup_id), hint=wording.RESUME(), backup_id=backup_id)
    why = run_messages.FOUND_DAMAGED() if run.damaged else _files_gone(run)
    message = wording.DELETION_UNFINISHED_WHY(run=backup_id, reason=why)
    return Finding(message=message, hint=wording.KEEP(), backup_id=backup_id)


def _newest_is_gone(dated: Sequence[RunRecord], good: RunRecord | None) -> Finding | None:
    """The newest backup is gone though an older one is here."""
    lost = _newest_lost(dated)
    if lost is None or good is None or lost.created_at < good.created_at:
        return None
    return Finding(message=_files_gone(lost), hint=wording.BACK_UP(), backup_id=lost.backup_id)


def _newest_is_not_confirmed(dated: Sequence[RunRecord], good: RunRecord | None) -> Finding | None:
    """The newest backup is in the folder of another host, whose worker does not say that it is good."""
    away = _newest_elsewhere(dated)
    return None if away is None or good is None or away.created_at < good.created_at else _not_confirmed(away)


def _newest_elsewhere(runs: Sequence[RunRecord]) -> RunRecord | None:
    """Return the newest backup on another host that nobody there has confirmed, removed ones excepted."""
    return next((run for run in runs if run.files == Files.ELSEWHERE and not run.removed and not run.verified), None)


def _not_confirmed(run: RunRecord) -> Finding:
    message = wording.NOT_CONFIRMED(run=run.backup_id, host=run.host or "?")
    return Finding(message=message, hint=wording.LOOK_THERE(host=run.host or "?"), backup_id=run.backup_id)


def _newest_is_damaged(dated: Sequence[RunRecord], good: RunRecord | None) -> Finding | None:
    """The newest backup is damaged though an older one is good."""
    newest = next((run for run in dated if run.published), None)
    if newest is None or good is None or not newest.damaged or newest.created_at < good.created_at:
        return None
    message = wording.NEWEST_DAMAGED(run=newest.backup_id)
    return Finding(message=message, hint=wording.BACK_UP(), backup_id=newest.backup_id)


def _bad_holders(every: Sequence[RunRecord], *, but: str) -> Iterator[Finding]:
    """Backups that hold deleted documents, or may, and are damaged or gone; without the one that was named already."""
    for run in every:
        is_gone = run.files == Files.GONE and not run.removed
        if not (is_gone or run.damaged) or run.backup_id == but or is_signed(run.released):
            continue
        if holds_something(run) and not (run.resume_available or run.keep_available):
            sentence = wording.HOLDER_GONE if is_gone else wording.HOLDER_DAMAGED
            message = sentence(run=run.backup_id)
            yield Finding(message=message, hint=wording.BRING_BACK_FILES(), backup_id=run.backup_id)


def _newest_lost(runs: Sequence[RunRecord]) -> RunRecord | None:
    return next((run for run in runs if run.files == Files.GONE), None)


def _files_gone(run: RunRecord) -> Message:
    return wording.FILES_GONE(run=run.backup_id)


def _last_run(dated: Sequence[RunRecord]) -> Finding | None:
    """How the last run ended, where it was not a success."""
    if not dated or dated[0].status == Status.SUCCESS:
        return None
    last = dated[0]
    is_cancelled = last.status == Status.CANCELLED or last.error_code == RunCancelled.code
    sentence = wording.RUN_PARTIAL if last.status != Status.FAILED else wording.RUN_FAILED
    message = (wording.RUN_CANCELLED if is_cancelled else sentence)(reason=as_message(last.message))
    return Finding(message=message, backup_id=last.backup_id)


def is_about_last_run(finding: Finding) -> bool:
    """Whether a finding says how the last run ended."""
    return finding.message.code in {wording.RUN_FAILED.code, wording.RUN_PARTIAL.code, wording.RUN_CANCELLED.code}


def without_reason(finding: Finding) -> Message:
    """Return what a finding says, without the reason that its run gives."""
    return Message(code=finding.message.code, facts={**finding.message.facts, "reason": ""})


def _atlas(remote: Reach, local_ahead_seconds: float, *, backs_up_without: bool) -> Iterator[Finding]:
    if not remote.reachable and not backs_up_without:
        yield Finding(message=wording.ATLAS_AWAY_NO_BACKUP())
    elif remote.is_silent:
        yield Finding(message=wording.ATLAS_AWAY())
    apart = abs(remote.clock_ahead_seconds - local_ahead_seconds)
    if remote.reachable and apart > reach.CLOCKS_APART_SECONDS:
        yield Finding(message=wording.CLOCKS_APART(n=round(apart)), hint=wording.SET_TIME())
