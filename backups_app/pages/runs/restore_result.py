"""The words of a restore's end, and what it did to each collection. First what is safe, then what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from backups_app import configuration, formats
from backups_app.catalog.run_record import RunRecord
from backups_app.errors import RunCancelled
from backups_app.pages.runs import run_wording
from backups_app.pages.runs.restore_steps import sums_text
from backups_app.pages.runs.run_wording import Words
from backups_app.pages.shared.translation import translated
from backups_app.records import RunKind, Status, StepState
from backups_app.runs.closing import lost_messages
from backups_app.runs.steps import restore_parts

IDS_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that has a name: in which collection, what, and the `_id`s of the first documents it concerns."""

    collection: str
    sentence: str
    ids: str = ""


@dataclass(frozen=True, kw_only=True)
class RestoreShown:
    """What the panel shows of a restore besides its steps. `undoable`: the safety backup can be restored;
    `undoes`: it is itself the way back of a restore."""

    kind: str
    backup_id: str
    target: str
    in_place: bool
    mode: str
    collections: Sequence[Any]
    problems: Sequence[Problem]
    undoable: bool
    undoes: bool = False


def is_restore(run: RunRecord) -> bool:
    """Return whether a run is a restore, a test copy or a test of a restore, and its record says what it did."""
    return run.is_restore and run.restore.recorded


def of(run: RunRecord) -> RestoreShown:
    """Given the document of a restore, return what the panel shows of it."""
    restored, chosen = run.restore, run.restore.choices
    ended = not run.in_progress
    return RestoreShown(
        kind=run.kind,
        backup_id=chosen["backup_id"],
        target=chosen["target"],
        in_place=chosen["in_place"],
        mode=_mode(chosen["mode"]),
        collections=restored.collections if ended else (),
        problems=[problem for entry in restored.collections for problem in _problems(entry)] if ended else (),
        undoable=ended and run.kind == RunKind.RESTORE and bool(restore_parts.begun(run)) and run.published,
        undoes=restored.undoes,
    )


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
    name, tone, icon = run_wording.badge_of(run)
    return Words(headline=headline, tone=tone, icon=icon, badge=name, safe=safe, rest=rest)


def _success(run: RunRecord, kind: RunKind) -> Words:
    count = len(run.restore.collections)
    if kind is RunKind.REHEARSAL:
        proven = formats.grouped(run.restore.sums.get("proven", 0))
        return _words(
            run,
            _("Test passed: %(n)s of %(n)s collections match") % {"n": count},
            safe=_("This backup is proven restorable: %(n)s documents came back exactly.") % {"n": proven},
            rest=_("The scratch database was removed; the temple's database was not touched."),
        )
    safe = _("%(sums)s.") % {"sums": sums_text(run)}
    if kind is RunKind.TEST_COPY:
        return _words(run, _("Test copy is ready"), safe=safe, rest=_("The temple's database was not touched."))
    newer = run.restore.sums.get("newer", 0)
    rest = [_("%(n)s documents were edited meanwhile and were kept.") % {"n": formats.grouped(newer)}] if newer else []
    if configuration.current().sync_enabled:
        rest.append(_("The next sync carries the result to Atlas."))
    return _words(run, _("Restore finished"), safe=safe, rest=" ".join(rest))


def _partial(run: RunRecord) -> Words:
    """Something was named that could not be done; or a restore ended after its safety backup was made."""
    if run.kind == RunKind.TEST_COPY:
        return _words(
            run,
            _("Test copy made, with something left out"),
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
        _("Restored, with something left undone"),
        safe=_("The safety backup holds everything that was there before."),
        rest=translated(run.error_message),
    )


def _wrote(state: str) -> bool:
    return state in (StepState.DONE, StepState.WARNING, StepState.FAILED)


def _failed(run: RunRecord, kind: RunKind) -> Words:
    said = translated(run.error_message)
    if run.error_code == RunCancelled.code:
        return _words(run, _("Cancelled. Nothing was written."), safe=said)
    if kind is RunKind.REHEARSAL:
        return _words(
            run,
            _("Test failed: this backup did not come back whole"),
            safe=_("The temple's database was not touched."),
            rest=said,
        )
    if kind is RunKind.TEST_COPY:
        return _words(run, _("Test copy failed"), safe=_("The temple's database was not touched."), rest=said)
    return _words(run, _("Restore failed. Nothing was written."), safe=said)


def _published(run: RunRecord) -> bool:
    return bool(run.published)


def _mode(mode: str) -> str:
    return {"add": _("Add what is missing"), "overwrite": _("Overwrite what differs"), "replace": _("Replace")}[mode]


def _problems(entry: Mapping[str, Any]) -> list[Problem]:
    """What was not done or was kept, by name. What people edited meanwhile is theirs, and no fault."""
    name = entry["name"]
    found = [
        Problem(collection=name, sentence=translated(said)) for said in (entry["withheld"], *entry["sentences"]) if said
    ]
    said_of = {
        "newer": _("%(n)s edited meanwhile, kept as they are"),
        "clashes": _("%(n)s not added: another document holds the same unique value"),
        "refused": _("%(n)s refused by the server"),
        "differing": _("%(n)s are not as planned"),
    }
    for key, said in said_of.items():
        named = entry[key]
        if named["count"]:
            ids = ", ".join(str(identity) for identity in named["ids"][:IDS_SHOWN])
            more = "…" if named["count"] > IDS_SHOWN else ""
            sentence = said % {"n": formats.grouped(named["count"])}
            found.append(Problem(collection=name, sentence=sentence, ids=ids + more))
    reasons = [f"{formats.grouped(one['count'])}: {translated(one['reason'])}" for one in entry["reasons"]]
    return found + [Problem(collection=name, sentence=said) for said in reasons]
