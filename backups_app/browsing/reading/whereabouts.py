"""Where the files of a run's backup are: a conclusion from its record and from whether its folder is here. Pure."""

from __future__ import annotations

from enum import StrEnum

from backups_app.catalog.run.run_record import RunRecord
from backups_app.records import RunKind, Status


class Files(StrEnum):
    """`UNMOUNTED`: the folder that held it is not here as a whole. `NONE`: the run made no backup, or not yet."""

    HERE = "here"
    GONE = "gone"
    ELSEWHERE = "elsewhere"
    UNMOUNTED = "unmounted"
    NONE = "none"


def made_a_backup(run: RunRecord) -> bool:
    """Return whether a run published a backup, whatever became of it. A safety backup and a folder that others wrote
    are backups too."""
    if run.kind in (RunKind.TEST_COPY, RunKind.REHEARSAL):
        return False
    return run.status in (Status.SUCCESS, Status.PARTIAL) or run.has_done("publish")


def files_of(run: RunRecord, *, here: bool, store_id: str | None) -> Files:
    """Given a run, whether its folder is here and the id of this store, return where its files are."""
    if here:
        return Files.HERE
    if not made_a_backup(run):
        return Files.NONE
    if not run.store_id or run.store_id == store_id:
        return Files.GONE
    return Files.UNMOUNTED if store_id is None else Files.ELSEWHERE
