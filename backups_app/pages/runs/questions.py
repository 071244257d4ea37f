"""What a page asks before it stops a run, or before it gives the rest of a deletion up."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from backups_app.pages.runs.run_panel import RunPanel


@dataclass(frozen=True, kw_only=True)
class Question:
    """`route` takes the answer yes; no leaves everything as it is."""

    route: str
    title: Promise
    text: Promise
    yes: Promise
    no: Promise


STOP_BACKUP = Question(
    route="pages:cancel",
    title=gettext_lazy("Stop this backup?"),
    text=gettext_lazy(
        "The deletion has not begun. The unfinished copy will be removed; what the sync has copied stays."
    ),
    yes=gettext_lazy("Stop backup"),
    no=gettext_lazy("Keep going"),
)
STOP_RESTORE = Question(
    route="pages:cancel",
    title=gettext_lazy("Stop this restore?"),
    text=gettext_lazy("Nothing was written yet. The unfinished safety backup will be removed."),
    yes=gettext_lazy("Stop the restore"),
    no=gettext_lazy("Keep going"),
)
KEEP_THE_REST = Question(
    route="pages:keep",
    title=gettext_lazy("Keep the rest after all?"),
    text=gettext_lazy(
        "The deletion ends here. What is still there stays, on both sides, and the next sync copies back to Atlas "
        "what it lost. The backup stays as it is."
    ),
    yes=gettext_lazy("Keep everything that is left"),
    no=gettext_lazy("Leave it open"),
)


def stop(panel: RunPanel) -> Question:
    """Return what is asked before this run is stopped."""
    return STOP_RESTORE if panel.restore else STOP_BACKUP
