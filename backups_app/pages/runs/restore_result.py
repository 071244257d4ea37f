"""What a restore did to each collection, as the panel shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app import formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.pages.shared.translation import translated
from backups_app.records import RunKind, Status
from backups_app.runs.steps import restore_parts
from backups_app.use_cases.status import restore_tests

IDS_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class CollectionProblem:
    """Something that has a name: in which collection, what, and the `_id`s of the first documents it concerns."""

    collection: str
    sentence: str
    ids: str = ""


@dataclass(frozen=True, kw_only=True)
class RestoreShown:
    """What the panel shows of a restore besides its steps. `undoable`: the safety backup can be restored; `undoes`: it
    is itself the way back of a restore. `copy_at` names the target whose copy was tested, `copy_again`: that copy is
    damaged. `complete`: everything asked for was done, so that `problems` are notes."""

    kind: str
    backup_id: str
    target: str
    in_place: bool
    mode: str
    collections: Sequence[Any]
    problems: Sequence[CollectionProblem]
    undoable: bool
    copy_at: str = ""
    copy_again: bool = False
    undoes: bool = False
    complete: bool = False


def is_restore(run: RunRecord) -> bool:
    """Return whether a run is a restore, a test copy or a test of a restore, and its record says what it did."""
    return run.is_restore and run.restore.recorded


def shown_restore(run: RunRecord) -> RestoreShown:
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
        copy_at=restored.copy_at,
        copy_again=ended and restore_tests.failed(run) and run.error_code in restore_tests.OF_THE_COPY,
        undoes=restored.undoes,
        complete=run.status == Status.SUCCESS,
    )


def _mode(mode: str) -> str:
    return {"add": _("Add what is missing"), "overwrite": _("Overwrite what differs"), "replace": _("Replace")}[mode]


def _problems(entry: Mapping[str, Any]) -> list[CollectionProblem]:
    """What was not done or was kept, by name. What people edited meanwhile is theirs, and no fault."""
    name = entry["name"]
    found = [
        CollectionProblem(collection=name, sentence=translated(message))
        for message in (entry["withheld"], *entry["sentences"])
        if message
    ]
    stated_of = {
        "newer": _("%(n)s edited meanwhile, kept as they are"),
        "clashes": _("%(n)s not added: another document holds the same unique value"),
        "refused": _("%(n)s refused by the server"),
        "differing": ngettext("%(n)s is not as planned", "%(n)s are not as planned", entry["differing"]["count"]),
    }
    for key, message in stated_of.items():
        named = entry[key]
        if named["count"]:
            ids = ", ".join(str(identity) for identity in named["ids"][:IDS_SHOWN])
            more = "…" if named["count"] > IDS_SHOWN else ""
            sentence = message % {"n": formats.grouped(named["count"])}
            found.append(CollectionProblem(collection=name, sentence=sentence, ids=ids + more))
    reasons = [f"{formats.grouped(one['count'])}: {translated(one['reason'])}" for one in entry["reasons"]]
    return found + [CollectionProblem(collection=name, sentence=message) for message in reasons]
