"""The headline and the two sentences of the result panel. Their order: what is safe, what is not, what to do.

A sentence about the cause is a message that the record keeps (`messages/runs.py`, put together by `runs/closing/`).
The headline, and what only a page says, stand here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from backups_app import formats
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupRemoved, RunCancelled
from backups_app.messages import runs as messages
from backups_app.messages.message import Message, code_of, parts_of, together
from backups_app.pages.runs import counts_text, panel_words
from backups_app.pages.runs.panel_words import Words
from backups_app.pages.runs.run_steps import Line
from backups_app.pages.shared.translation import translated
from backups_app.pages.shared.wording import size_text
from backups_app.records import Side, Status, StepState, SyncStatus
from backups_app.runs.closing import lost_messages

HEADLINES = frozenset(
    sentence.code
    for sentence in (
        messages.WITHOUT_THE_NEWEST,
        messages.STEP_DID_NOT_RUN,
        messages.STEP_DID_NOT_RUN_WITHOUT_ATLAS,
    )
)
"""Sentences that the headline says already."""


def run_words(run: RunRecord, *, lines: Sequence[Line], purge_left: Sequence[tuple[str, int]]) -> Words:
    """Given a run and what is left of its purge on Atlas, return its headline and sentences."""
    status, lost = Status(run.status), lost_messages.sentence(run)
    if lost:
        return _lost_backup_words(run, lost)
    if status is Status.IN_PROGRESS:
        return _running(run)
    if status is Status.SUCCESS:
        return _success(run)
    if status is Status.PARTIAL:
        return _partial(run, purge_left)
    return _failed(run, lines)


def _words(run: RunRecord, headline: str, *, safe: str, rest: str = "") -> Words:
    name, tone, icon = panel_words.badge_of(run)
    return Words(headline=headline, tone=tone, icon=icon, badge=name, safe=safe, rest=rest)


def _lost_backup_words(run: RunRecord, text: str) -> Words:
    """The backup of a run that is not here, not good or not verified: that comes before how the run ended."""
    safe, rest = in_two(text)
    if code_of(text) == messages.UNVERIFIED.code:
        words = _words(run, _("This backup is not verified"), safe=safe, rest=rest)
        return replace(words, tone="warn", icon="shield-alert")
    headlines = {
        Files.GONE: _("The files of this backup are gone"),
        Files.ELSEWHERE: _("This backup is on another computer"),
        Files.UNMOUNTED: _("The backup folder is not here"),
    }
    headline = headlines.get(Files(run.files), _("This backup is not good any more"))
    if run.error_code == BackupRemoved.code:
        headline = headlines[Files.GONE]
    if run.files == Files.ELSEWHERE:
        return replace(_words(run, headline, safe=safe, rest=rest), tone="warn", icon="info")
    return replace(_words(run, headline, safe=safe, rest=rest), tone="bad", icon="shield-x")


def _running(run: RunRecord) -> Words:
    if run.cancel_requested:
        return _words(run, _("Cancelling…"), safe="")
    return _words(run, _("Backup in progress"), safe="")


def _success(run: RunRecord) -> Words:
    facts = {
        "collections": counts_text.collections(len(run.collections_backed_up)),
        "documents": counts_text.documents(run.documents or 0),
        "size": size_text(run.size_bytes or 0),
    }
    safe = _("%(collections)s, %(documents)s, %(size)s, verified.") % facts
    rest = counts_text.changed_and_kept(run.kept_changed) if run.kept_changed else ""
    return _words(run, _("Backup finished"), safe=safe, rest=rest)


def _partial(run: RunRecord, purge_left: Sequence[tuple[str, int]]) -> Words:
    if run.sync_status == SyncStatus.FAILED:
        without_atlas = messages.STEP_DID_NOT_RUN_WITHOUT_ATLAS.code in codes(run)
        step = messages.STEP_DID_NOT_RUN_WITHOUT_ATLAS if without_atlas else messages.STEP_DID_NOT_RUN
        return _words(
            run,
            _("Backup made without the newest changes from Atlas"),
            safe=translated(together(messages.SAFE(), step())),
            rest=_stated(run, without=HEADLINES),
        )
    if run.purge.kept_after_all:
        return _words(
            run,
            _("Backup saved; the rest is kept after all"),
            safe=translated(messages.SAFE()),
            rest=_("The deletion was ended by choice. The next sync copies back what Atlas lost."),
        )
    if not run.resume_available:
        return _words(
            run,
            _("Backup saved, but not everything was done"),
            safe=translated(messages.SAFE()),
            rest=_stated(run),
        )
    return _unfinished(run, purge_left)


def _unfinished(run: RunRecord, purge_left: Sequence[tuple[str, int]]) -> Words:
    """The deletion stopped half-way: on Atlas, so that this computer is whole, or here, after Atlas was finished."""
    if not run.purge.planned:
        return _words(
            run,
            _("Backup saved, but the deletion has not begun"),
            safe=_("Your backup is complete and verified; nothing was deleted."),
            rest=_stated(run),
        )
    undisturbed = _("Until you choose, a sync neither restores nor deletes any of these.")
    if not purge_left and not _remote_unfinished(run):
        return _words(
            run,
            _("Backup saved, but the deletion on this computer is not finished"),
            safe=_("Your backup is complete and verified; Atlas is finished."),
            rest=undisturbed,
        )
    left = ", ".join(f"{formats.grouped(count)} {name}" for name, count in purge_left)
    still = _("Still on Atlas: %(left)s.") % {"left": left} if left else ""
    return _words(
        run,
        _("Backup saved, but the deletion on Atlas is not finished"),
        safe=_("Your backup is complete and verified; the deletion on this computer did not begin."),
        rest=f"{still} {undisturbed}".strip(),
    )


def _remote_unfinished(run: RunRecord) -> bool:
    unfinished = any(not run.purge.collection(Side.REMOTE, name).done for name in run.purge.collections)
    return Side.REMOTE in run.purge.sides and unfinished


def _failed(run: RunRecord, lines: Sequence[Line]) -> Words:
    text, rest = in_two(_parts(run, without=HEADLINES))
    if run.error_code == RunCancelled.code:
        return _words(run, _("Backup cancelled. The deletion step did not run."), safe=text, rest=rest)
    if run.error_code in panel_words.BROKEN_OFF:
        return _words(run, _("Interrupted. The deletion step did not run."), safe=text, rest=rest)
    stopped = next((line.number for line in lines if line.state is StepState.FAILED), None)
    if stopped is None:
        return _words(run, _("Backup failed. The deletion step did not run."), safe=text, rest=rest)
    headline = _("Backup failed at step %(n)s. The deletion step did not run.") % {"n": stopped}
    return _words(run, headline, safe=text, rest=rest)


def codes(run: RunRecord) -> frozenset[str]:
    """Return the codes of the sentences that say how a run ended."""
    return frozenset(code_of(part) for part in parts_of(run.error_message))


def _stated(run: RunRecord, *, without: frozenset[str] = frozenset()) -> str:
    """Return how a run ended in the page's language, without the sentences of these codes."""
    return translated(_parts(run, without=without))


def _parts(run: RunRecord, *, without: frozenset[str]) -> str:
    parts = [part for part in parts_of(run.error_message) if code_of(part) not in without]
    return parts[0] if len(parts) == 1 else together(*parts)


def in_two(sentence: str) -> tuple[str, str]:
    """Return a named failure in the page's language: what happened, to stand in bold, and its other sentences."""
    if not isinstance(sentence, Message):
        first, *others = re.split(r"(?<=\.) ", sentence, maxsplit=1)
        return translated(first), translated("".join(others))
    first, *rest = re.split(r"(?<=[.।]) ", translated(sentence), maxsplit=1)
    return first, "".join(rest)
