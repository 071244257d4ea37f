"""Do the two databases belong together? Every row of the table; whatever is refused has written nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.catalog.sync import sync_base, sync_logs, sync_state
from backups_app.errors import DatabaseNotFound, DatabaseSpelledOtherwise, OwnershipLost, PairMismatch, SideRolledBack
from backups_app.records import Side
from backups_app.sync import pair as pairs
from tests.sync.pairs import Pair, contents, seed, version


@pytest.fixture
def synced(any_pair: Pair) -> Pair:
    seed(any_pair, [version(key) for key in range(3)])
    any_pair.sync()
    return any_pair


def _mark(side: Database[Any], **changes: Any) -> None:
    sync_state.collection(side).update_one({"_id": "pair"}, {"$set": changes})


def _unmark(database: Database[Any]) -> None:
    sync_state.collection(database).delete_one({"_id": "pair"})


ROWS: dict[str, tuple[Callable[[Pair], None], type[Exception], str]] = {
    "local unmarked: a second local site": (lambda p: _unmark(p.local), PairMismatch, "another local database"),
    "remote unmarked": (lambda p: _unmark(p.remote), PairMismatch, "is not marked"),
    "other pair": (lambda p: _mark(p.remote, pair="other"), PairMismatch, "another local database"),
    "other database here": (lambda p: _mark(p.local, database="x"), PairMismatch, "another database name"),
    "other database there": (lambda p: _mark(p.remote, database="x"), PairMismatch, "another database name"),
    "local URL leads to Atlas": (lambda p: _mark(p.local, role="remote"), PairMismatch, "swapped"),
    "remote bears our own mark": (lambda p: _mark(p.remote, role="local"), PairMismatch, "same server"),
    "Atlas from a snapshot": (lambda p: _mark(p.remote, generation=0, next_generation=0), SideRolledBack, "remote"),
    "Atlas from a snapshot in a sync": (lambda p: _mark(p.remote, generation=0), SideRolledBack, "remote"),
    "local machine rolled back": (
        lambda p: _mark(p.local, generation=0, next_generation=0),
        SideRolledBack,
        "local",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_whatever_does_not_fit_is_refused_by_name_and_writes_nothing(synced: Pair, row: str) -> None:
    change, error, words = ROWS[row]
    synced.put(Side.LOCAL, version(1, minutes=1))
    synced.delete(Side.REMOTE, 2)
    change(synced)
    before = [(contents(side), sync_state.read(side)) for side in (synced.local, synced.remote)]

    with pytest.raises(error) as refused:
        synced.sync(run_id="refused")
    with pytest.raises(error):
        pairs.require_known(local=synced.local, remote=synced.remote)

    assert words in str(refused.value)
    assert [(contents(side), sync_state.read(side)) for side in (synced.local, synced.remote)] == before
    log = sync_logs.of_run(synced.local, run_id="refused")
    assert log is not None
    assert (log["status"], log["error_code"], log["half_way"]) == ("failed", error.code, False)  # type: ignore[attr-defined]


def test_a_database_is_not_synced_with_itself(any_pair: Pair) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL])
    alias = Pair(local=any_pair.local, remote=any_pair.application[Side.LOCAL], application=any_pair.application)

    with pytest.raises(PairMismatch, match="same server"):
        alias.sync()

    assert sync_state.read(any_pair.local) is None


def test_swapped_urls_are_refused(pair: Pair) -> None:
    seed(pair, [version(1)])
    pair.sync()
    swapped = Pair(local=pair.remote, remote=pair.local, application=pair.application)

    with pytest.raises(PairMismatch, match="swapped"):
        swapped.sync()


def test_a_known_pair_is_known_and_a_new_one_is_not(synced: Pair) -> None:
    pairs.require_known(local=synced.local, remote=synced.remote)

    for side in (synced.local, synced.remote):
        _unmark(side)
    with pytest.raises(PairMismatch, match="never synced"):
        pairs.require_known(local=synced.local, remote=synced.remote)


@pytest.mark.parametrize("row", ["other pair", "Atlas from a snapshot", "local unmarked: a second local site"])
def test_adopting_takes_the_union_and_deletes_nothing(synced: Pair, row: str) -> None:
    ROWS[row][0](synced)
    synced.delete(Side.REMOTE, 2)
    synced.put(Side.LOCAL, version(9))

    report = synced.sync(adopt=True)

    assert (report.log["totals"]["deleted_local"], report.log["totals"]["deleted_remote"]) == (0, 0)
    assert len(contents(synced.local)["bookings"]) == 4
    synced.assert_converged()


def test_a_sync_that_was_overtaken_cannot_finish_nor_write_the_base(synced: Pair) -> None:
    frozen = pairs.begin(local=synced.local, remote=synced.remote, adopt=False)
    synced.put(Side.LOCAL, version(1, minutes=1))
    synced.sync()
    base = sync_base.SyncBase(synced.local, name="bookings", generation=frozen.generation, expected=3)
    now = base.read_prefix("")

    with pytest.raises(OwnershipLost):
        base.change(dict.fromkeys(now))
    with pytest.raises(OwnershipLost):
        pairs.finish(local=synced.local, remote=synced.remote, attempt=frozen, checkpoint={})

    assert base.read_prefix("") == now


def test_a_first_sync_cut_between_the_two_marks_is_completed(any_pair: Pair) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL])
    sync_state.create(any_pair.local, pair="half", role="local")

    any_pair.sync()

    assert (sync_state.read(any_pair.remote) or {})["pair"] == "half"


def test_after_atlas_went_back_the_old_edits_win_nothing_silently(pair: Pair) -> None:
    old = version(1)
    seed(pair, [old])
    pair.sync()
    state = sync_state.read(pair.remote)
    new = version(1, minutes=1)
    pair.put(Side.LOCAL, new)
    pair.sync()
    pair.collection(Side.REMOTE).replace_one({"_id": 1}, RawBSONDocument(old))
    sync_state.collection(pair.remote).replace_one({"_id": "pair"}, state or {})

    with pytest.raises(SideRolledBack):
        pair.sync()

    assert pair.get(Side.LOCAL, 1) == new


def _other_spelling(pair: Pair) -> str:
    """Give Atlas a database whose name differs in capital letters only, as an application did. Return its name."""
    name = pair.remote.name.swapcase()
    pair.remote.client[name]["bookings"].insert_one({"_id": 1})
    return name


@pytest.mark.parametrize("may_list", [True, False], ids=["may list", "may not list"])
@pytest.mark.parametrize("paired", [False, True], ids=["never synced", "paired before"])
def test_a_database_that_is_spelled_otherwise_on_atlas_is_named(
    any_pair: Pair, monkeypatch: pytest.MonkeyPatch, may_list: bool, paired: bool
) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL])
    if paired:
        any_pair.sync()
        any_pair.remote.client.drop_database(any_pair.remote.name)
    there = _other_spelling(any_pair)
    if not may_list:
        monkeypatch.setattr(MongoClient, "list_database_names", _refused)
    try:
        for options in ({"run_id": "plain"}, {"run_id": "dry", "dry_run": True}, {"run_id": "adopting", "adopt": True}):
            if not may_list and options.get("dry_run"):
                continue  # nothing is written there: nobody can know
            with pytest.raises(DatabaseSpelledOtherwise) as refused:
                any_pair.sync(**options)
            assert refused.value.facts == {"database": any_pair.remote.name, "side": "remote", "there": there}
            assert refused.value.code == DatabaseNotFound.code
            log = sync_logs.of_run(any_pair.local, run_id=str(options["run_id"]))
            assert log is not None
            assert log["error_code"] == "database_not_found"
        assert any_pair.remote.name not in {one["name"] for one in any_pair.remote.client.list_databases()}
    finally:
        any_pair.remote.client.drop_database(there)


def _refused(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise OperationFailure("not authorized", 13, {"codeName": "Unauthorized"})
