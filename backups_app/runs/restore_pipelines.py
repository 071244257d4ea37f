"""A restore, a test copy and a rehearsal, from their start to their end: the steps of each in their order."""

from __future__ import annotations

from typing import cast

from backups_app.records import RunKind
from backups_app.runs.context import Step
from backups_app.runs.steps import check, dump, fetch_copy, preflight, publish, rehearse, restore, verify

FROM_A_COPY = "rehearsal_from_a_copy"

STEPS: dict[str, tuple[Step, ...]] = {
    # Into the temple's database: first the safety backup, under the run's own id. Undo is a restore of that.
    RunKind.RESTORE.value: cast("tuple[Step, ...]", (check, preflight, dump, verify, publish, restore)),
    RunKind.TEST_COPY.value: cast("tuple[Step, ...]", (check, restore)),
    RunKind.REHEARSAL.value: cast("tuple[Step, ...]", (check, rehearse)),
    FROM_A_COPY: cast("tuple[Step, ...]", (fetch_copy, rehearse)),
}


def name_of(kind: str, *, from_a_copy: bool) -> str:
    """Return which pipeline of `STEPS` carries out a run of this kind."""
    return FROM_A_COPY if kind == RunKind.REHEARSAL and from_a_copy else kind
