"""Where the documents of a search are: live here, live on Atlas, in which backups, and which run deleted them."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pymongo.errors import PyMongoError

from backups_app.browsing.reading import documents, live_data, opening
from backups_app.browsing.search.everywhere import FindState, FoundDocument
from backups_app.browsing.search.query import Query, matching_paths
from backups_app.browsing.search.search import Hit
from backups_app.catalog import named_deletions
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import availability, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import live_documents
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.use_cases.finding.placed_documents import PlacedDocument, PlacedVersion
from backups_app.use_cases.listing import listing

ASK_SECONDS = 1.0
AS_OTHERS_LEFT_IT = ("gone", "kept_changed", "left", "twice", "restored", "came_back")
"""Of a run's result: what it found other than in its backup. Only without any of it did it delete every document."""

Present = dict[str, set[bytes]] | None


def placed(
    *, configuration: Configuration, state: FindState, query: Query, only_changed: bool = False
) -> Iterator[PlacedDocument]:
    """Yield the documents found, one at a time, with their places; `only_changed` those of the last call. A server is
    asked once for all, within a second; one that does not answer makes nothing certain."""
    found = state.changed() if only_changed else list(enumerate(state.documents))
    wanted = [one for _, one in found]
    here = _present(Side.LOCAL, configuration, wanted)
    on_atlas = _present(Side.REMOTE, configuration, wanted) if configuration.sync_enabled else None
    lost = [one for one in wanted if _is_in(here, one) is False and not _is_in(on_atlas, one)]
    ledger = _named_by_ledger(configuration, lost)
    results = _Results(configuration)
    for number, one in found:
        versions = tuple(
            PlacedVersion(backup_ids=tuple(state.backups[at] for at in version.places), number=version.number)
            for version in one.versions
        )
        place = PlacedDocument(
            number=number, collection=one.collection, raw_id=one.raw_id, here=_is_in(here, one),
            on_atlas=_is_in(on_atlas, one), syncs=configuration.sync_enabled, deleted_by="", versions=versions,
            hit=_read(configuration, one, versions, query),
        )  # fmt: skip
        yield _named(place, ledger, results) if place.is_lost else place


def _present(side: Side, configuration: Configuration, wanted: Sequence[FoundDocument]) -> Present:
    """Return the keys of those that a side holds now, by collection; None where it does not answer."""
    by_name: dict[str, list[bytes]] = defaultdict(list)
    for one in wanted:
        by_name[one.collection] += [one.raw_id] if one.raw_id else []
    try:
        database = preparation.side(configuration, side)
        with availability.asking(side, configuration=configuration, seconds=ASK_SECONDS):
            return {name: live_data.present(database, collection=name, ids=ids) for name, ids in by_name.items()}
    except (PyMongoError, TempleOpsError):
        return None


def _is_in(present: Present, one: FoundDocument) -> bool | None:
    if present is None or not one.raw_id:
        return None
    return raw_ids.key(one.raw_id) in present[one.collection]


def _named_by_ledger(configuration: Configuration, lost: Sequence[FoundDocument]) -> dict[tuple[str, bytes], str]:
    named: dict[tuple[str, bytes], str] = {}
    try:
        database = preparation.local_database(configuration)
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=ASK_SECONDS):
            for name in {one.collection for one in lost}:
                ids = [one.raw_id for one in lost if one.collection == name]
                runs = named_deletions.runs_that_deleted(database, collection=name, ids=ids)
                named |= {(name, key): run for key, run in runs.items()}
    except (PyMongoError, TempleOpsError):
        return {}
    return named


def _named(place: PlacedDocument, ledger: dict[tuple[str, bytes], str], results: _Results) -> PlacedDocument:
    """Name the run that deleted a document, where its ledger or its result does. A run before the newest backup that
    holds it did not: it came back after that."""
    run = ledger.get((place.collection, raw_ids.key(place.raw_id)), "")
    if not run and place.last_found_in and results.emptied(place.last_found_in, place.collection):
        run = place.last_found_in
    return replace(place, deleted_by=run) if run and run >= place.last_found_in else place


class _Results:
    """The results of runs, each read once."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._known: dict[str, RunRecord | None] = {}

    def emptied(self, backup_id: str, collection: str) -> bool:
        """Whether the run of this backup says that it deleted here each document of the collection that it held."""
        if backup_id not in self._known:
            try:
                self._known[backup_id] = listing.get_run(configuration=self._configuration, backup_id=backup_id)
            except (PyMongoError, TempleOpsError):
                self._known[backup_id] = None
        run = self._known[backup_id]
        entry = run.purge.stored_side(Side.LOCAL).get(collection) if run is not None else None
        if not isinstance(entry, dict) or not entry.get("done") or any(entry.get(name) for name in AS_OTHERS_LEFT_IT):
            return False
        return bool(entry.get("deleted")) and entry["deleted"] == self._held(backup_id, collection)

    def _held(self, backup_id: str, collection: str) -> int | None:
        """Return how many documents of the collection the backup holds; None where it cannot be read."""
        try:
            store = preparation.store(self._configuration)
            return opening.open_backup(store=store, backup_id=backup_id).entry(collection).documents
        except (TempleOpsError, OSError):
            return None


def _read(
    configuration: Configuration, one: FoundDocument, versions: Sequence[PlacedVersion], query: Query
) -> Hit | None:
    """Return the document's bytes and what matched in them. A backup may be gone since, and a live document too."""
    try:
        if versions:
            found = documents.document_at(
                store=preparation.store(configuration),
                backup_id=versions[0].newest,
                collection=one.collection,
                number=versions[0].number,
            )
            frame, problem = found.frame, found.problem
            if found.damaged:
                return None
        else:
            frame, problem = _live(configuration, one), ""
        return Hit(
            number=versions[0].number if versions else 0,
            frame=frame,
            paths=matching_paths(frame, query),
            problem=problem,
        )
    except (TempleOpsError, PyMongoError, OSError, LookupError, ValueError, struct.error):
        return None


def _live(configuration: Configuration, one: FoundDocument) -> bytes:
    database = preparation.local_database(configuration)
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=ASK_SECONDS):
        found = live_documents.read(collection=collection_of(database, one.collection), ids=[one.raw_id])
    return found[raw_ids.key(one.raw_id)]
