"""Copies of backups that are not in this folder: which can be fetched. Nothing here asks a target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import availability
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.use_cases.copies import overview
from backups_app.use_cases.copies.overview import Copy

LOOK_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Places:
    """Of some backups, which have their folder here, and which a record."""

    here: frozenset[str]
    recorded: frozenset[str]


def places(*, configuration: Configuration, backup_ids: Iterable[str]) -> Places:
    """Return which of these backups are here or on record. Without MongoDB no record is known."""
    wanted = frozenset(backup_ids)
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
            recorded = runs.whole_runs(preparation.local_database(configuration), backup_ids=wanted)
    except (PyMongoError, TempleOpsError):
        recorded = {}
    here = preparation.store(configuration).backups().ids
    return Places(here=wanted.intersection(here), recorded=frozenset(recorded))


def copies_of(run: RunRecord, *, configuration: Configuration) -> Sequence[Copy]:
    """Return the copies from which this backup can be fetched; none where its files are here, or it made none. An
    incremental needs a copy of its base at the same target. What is copied onto another host's own disk is not within
    reach."""
    if not whereabouts.made_a_backup(run) or run.files == Files.HERE:
        return ()
    base = run.incremental.base
    found = overview.by_backup(configuration=configuration, backup_ids=filter(None, (run.id, base)))
    targets = {one.name for one in configuration.targets}
    if base is not None:
        targets &= {copy.target for copy in found.get(base, ()) if copy.is_complete}
    is_away = run.files == Files.ELSEWHERE
    complete = [copy for copy in found.get(run.id, ()) if copy.is_complete and copy.target in targets]
    return [copy for copy in complete if copy.elsewhere or not is_away]
