"""The words of a restore's end. First what is safe, then what is not."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app import configuration, formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import RunCancelled
from backups_app.pages.runs import counts_text, panel_words
from backups_app.pages.runs.panel_words import Words
from backups_app.pages.runs.restore_steps import sums_text
from backups_app.pages.shared.translation import translated
from backups_app.records import RunKind, Status, StepState
from backups_app.runs.closing import lost_messages
from backups_app.use_cases.status import restore_tests


def words(run: RunRecord) -> Words:
    """Return the headline and the sentences of a restore."""
    known, lost = _words_of_the_record(run), lost_messages.sentence(run)
    if not lost:
        return known
    holds = _("The safety backup holds everything that was there before.")
    complete = _("Nothing was written; the safety backup is complete.")
    safe = "" if known.safe in (holds, complete) else known.safe
    return replace(known, safe=safe, rest=f"{known.rest} {translated(lost)}".strip())


def _words_of_the_record(run: RunRecord) -> Words:
    status, kind = Status(run.status), RunKind(run.kind)
    if status is Status.IN_PROGRESS:
        running = {
            RunKind.RESTORE: _("Restore in progress"),
            RunKind.TEST_COPY: _("Test copy in progress"),
            RunKind.REHEARSAL: _("Restore test in progress"),
        }
        return _words(run, _("Cancelling…") if run.cancel_requested else running[kind])
    if status is Status.SUCCESS:
        return _success(run, kind)
    if status is Status.PARTIAL:
        return _partial(run)
    return _failed(run, kind)


def _words(run: RunRecord, headline: str, *, safe: str = "", rest: str = "") -> Words:
    name, tone, icon = panel_words.badge_of(run)
    return Words(headline=headline, tone=tone, icon=icon, badge=name, safe=safe, rest=rest)


def _success(run: RunRecord, kind: RunKind) -> Words:
    count = len(run.restore.collections)
    if kind is RunKind.REHEARSAL:
        proven = formats.grouped(run.restore.sums.get("proven", 0))
        return _words(
            run,
            ngettext(
                "Restore test passed: %(n)s of %(n)s collection matches",
                "Restore test passed: %(n)s of %(n)s collections match",
                count,
            )
            % {"n": count},
            safe=_("Documents restored exactly as they are in the backup: %(n)s.") % {"n": proven},
            rest=_("The scratch database was removed; the temple's database was not touched."),
        )
    safe = _("%(sums)s.") % {"sums": sums_text(run)}
    if kind is RunKind.TEST_COPY:
        return _words(run, _("Test copy is ready"), safe=safe, rest=_("The temple's database was not touched."))
    newer = run.restore.sums.get("newer", 0)
    rest = [counts_text.edited_and_kept(newer)] if newer else []
    if configuration.current().sync_enabled:
        rest.append(_("The next sync carries the result to Atlas."))
    return _words(run, _("Restore finished"), safe=safe, rest=" ".join(rest))


def _partial(run: RunRecord) -> Words:
    """Something was named that could not be done; or a restore ended after its safety backup was made."""
    if run.kind == RunKind.TEST_COPY:
        return _words(
            run,
            _("Test copy not complete"),
            safe=_("The temple's database was not touched."),
            rest=translated(run.error_message),
        )
    if not any(step.name == "restore" and _wrote(step.state) for step in run.steps):
        return _words(
            run,
            _("Nothing was restored"),
            safe=_("Nothing was written; the safety backup is complete."),
            rest=translated(run.error_message),
        )
    return _words(
        run,
        _("Restore not complete"),
        safe=_("The safety backup holds everything that was there before."),
        rest=translated(run.error_message),
    )


def _wrote(state: str) -> bool:
    return state in (StepState.DONE, StepState.WARNING, StepState.FAILED)


def _failed(run: RunRecord, kind: RunKind) -> Words:
    message = translated(run.error_message)
    if run.error_code == RunCancelled.code:
        return _words(run, _("Cancelled. Nothing was written."), safe=message)
    if kind is RunKind.REHEARSAL and not restore_tests.failed(run):
        headline = _("The restore test could not be carried out. It proves nothing.")
        return _words(run, headline, safe=_("The temple's database was not touched."), rest=message)
    if kind is RunKind.REHEARSAL and run.error_code in restore_tests.OF_THE_COPY:
        headline = _("Restore test failed: the copy at %(target)s is damaged") % {"target": run.restore.copy_at}
        return _words(run, headline, safe=_("The backup on this computer was not read."), rest=message)
    if kind is RunKind.REHEARSAL:
        return _words(
            run,
            _("Restore test failed: the restored documents differ from this backup"),
            safe=_("The temple's database was not touched."),
            rest=message,
        )
    if kind is RunKind.TEST_COPY:
        return _words(run, _("Test copy failed"), safe=_("The temple's database was not touched."), rest=message)
    return _words(run, _("Restore failed. Nothing was written."), safe=message)
