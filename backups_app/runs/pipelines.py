"""A backup run, from its start to its end: the steps in their order. These lists are the only place that knows it."""

from __future__ import annotations

from typing import cast

from backups_app.runs.context import Step
from backups_app.runs.steps import (
    dump,
    finish_earlier_purges,
    preflight,
    publish,
    purge_local,
    purge_remote,
    sync,
    verify,
)

STEPS = cast(
    "tuple[Step, ...]", (preflight, finish_earlier_purges, sync, dump, verify, publish, purge_remote, purge_local)
)
INCREMENTAL_STEPS = cast("tuple[Step, ...]", (preflight, sync, dump, verify, publish))
"""An incremental run deletes nothing: it has no step that could."""
PURGE_STEPS = cast("tuple[Step, ...]", (purge_remote, purge_local))
