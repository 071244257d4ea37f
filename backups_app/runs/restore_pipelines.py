"""A restore, a test copy and a rehearsal, from their start to their end: the steps of each in their order."""

from __future__ import annotations

from typing import cast

from backups_app.records import RunKind
from backups_app.runs.context import Step
from backups_app.runs.steps import check, dump, preflight, publish, rehearse, restore, verify

STEPS: dict[str, tuple[Step, ...]] = {
    # Into the temple's database: first the safety backup, under the run's own id. Undo is a restore of that.
    RunKind.RESTORE.value: cast("tuple[Step, ...]", (check, preflight, dump, verify, publish, restore)),
    RunKind.TEST_COPY.value: cast("tuple[Step, ...]", (check, restore)),
    RunKind.REHEARSAL.value: cast("tuple[Step, ...]", (check, rehearse)),
}
