"""Collections of every name that MongoDB takes are synced like any other; one odd name stops none of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from backups_app.mongo.raw_bson import text
from backups_app.records import Side
from tests import odd_names
from tests.sync.pairs import Pair, contents, document, int32, seed, version


@pytest.mark.parametrize(("side", "names"), [(Side.LOCAL, odd_names.SOME), (Side.REMOTE, odd_names.ALL)])
def test_every_name_is_made_and_copied_to_the_other_side(pair: Pair, side: Side, names: tuple[str, ...]) -> None:
    for name in names:
        seed(pair, [version(key) for key in range(3)], sides=[side], name=name)
        pair.application[side].command({"createIndexes": name, "indexes": [{"key": {"n": 1}, "name": "by_n"}]})

    report = pair.sync()

    assert report.warnings == ()
    for database in (pair.local, pair.remote):
        assert {name: len(found) for name, found in contents(database).items()} == dict.fromkeys(names, 3)
        for name in names:
            found: Any = database.command({"listIndexes": name})
            assert [index["name"] for index in found["cursor"]["firstBatch"]] == ["_id_", "by_n"], name
    pair.assert_converged()


@pytest.mark.parametrize("exact", [False, True], ids=["by stream", "by scan"])
def test_edits_deletions_and_conflicts_are_carried_over_as_anywhere(any_pair: Pair, exact: bool) -> None:
    for name in odd_names.SOME:
        seed(any_pair, [version(key) for key in range(30)], name=name)
    any_pair.sync()
    any_pair.sync()
    edits = {}
    for name in odd_names.SOME:
        edits[name] = [version(1, minutes=1), version(2, minutes=1)]
        any_pair.put(Side.LOCAL, edits[name][0], name)
        any_pair.put(Side.REMOTE, edits[name][1], name)
        any_pair.delete(Side.LOCAL, 3, name)
        any_pair.delete(Side.REMOTE, 4, name)
        any_pair.put(Side.REMOTE, version(31), name)

    report = any_pair.sync(exact=exact)

    found_by = {one["name"]: one["found_by"] for one in report.log["collections"]}
    if any_pair.has_transactions:
        assert set(found_by.values()) == {"scan" if exact else "stream"}
    there = contents(any_pair.local)
    for name in odd_names.SOME:
        here = there[name]
        assert len(here) == 29, name
        assert set(edits[name]) <= set(here.values()), name
    any_pair.assert_converged()


def test_other_options_of_a_collection_hold_under_an_odd_name(any_pair: Pair) -> None:
    remote = any_pair.application[Side.REMOTE]
    remote.command({"create": "rare.", "collation": {"locale": "en", "strength": 2}})
    remote.command({"create": "log..", "capped": True, "size": 8192})
    remote.command({"create": "warm.", "timeseries": {"timeField": "at"}})
    frames = [document(("_id", text("anna")), ("n", int32(1))), document(("_id", text("bob")), ("n", int32(2)))]
    for name in ("rare.", "log.."):
        seed(any_pair, frames, sides=[Side.REMOTE], name=name)

    report = any_pair.sync()

    assert [one["collections"] for one in [report.log] if one["error_code"]] == []
    assert {name: len(found) for name, found in contents(any_pair.local).items()} == {"rare.": 2, "log..": 2}
    any_pair.assert_converged()
