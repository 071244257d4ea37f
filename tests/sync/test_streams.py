"""Change streams: work in proportion to the changes, an honest fall back to scans, proofs, and counts that are true."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backups_app.catalog.sync import sync_base, sync_state
from backups_app.mongo import change_events
from backups_app.mongo.exact_writes import encoding
from backups_app.records import Side
from backups_app.sync.detection import scan, stream
from tests.sync.pairs import NOW, Pair, contents, first_documents, seed, state_pairs, version


@pytest.fixture
def synced(pair: Pair) -> Pair:
    seed(pair, list(first_documents()))
    pair.sync()
    return pair


def test_after_the_first_sync_streams_report_what_changed(synced: Pair) -> None:
    state_pairs(synced)

    report = synced.sync()

    assert report.log["detection"] == {"local": "stream", "remote": "stream", "reasons": []}
    assert contents(synced.local) == contents(synced.remote)
    synced.assert_nothing_lost()


def test_our_own_writes_do_not_echo(synced: Pair) -> None:
    seed(synced, [version(key) for key in range(100, 400)], sides=[Side.REMOTE])
    assert synced.sync().counts["pulled"] == 300

    report = synced.sync()

    assert report.log["totals"]["size_bytes"] == 0
    assert synced.sync().log["round_trips"]["remote"] == 5


def test_a_write_of_other_work_in_the_same_driver_session_is_no_echo(synced: Pair) -> None:
    """The driver hands the session of the sync on to a restore, whose transactions must be seen."""
    seed(synced, [version(200)], sides=[Side.REMOTE])
    synced.sync()
    new = version(1, minutes=3)
    with synced.local.client.start_session() as session, session.start_transaction():
        synced.local["bookings"].replace_one({"_id": 1}, encoding.Whole(new), session=session)

    synced.sync()

    assert synced.get(Side.REMOTE, 1) == new


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_lost_token_falls_back_to_a_scan_and_says_so(synced: Pair, side: Side) -> None:
    mark = sync_state.collection(synced.local)
    old = (sync_state.read(synced.local) or {})["tokens"][side.value]["_data"]
    broken = {"_data": old[:-20] + "00" * 10}
    mark.update_one({}, {"$set": {f"tokens.{side.value}": broken}})
    synced.put(side, version(1, minutes=4))

    report = synced.sync()

    assert report.log["detection"][side.value] == "scan"
    assert any("broke" in reason for reason in report.log["detection"]["reasons"])
    assert contents(synced.local) == contents(synced.remote)
    assert synced.sync().log["detection"][side.value] == "stream"


def test_a_stream_that_does_not_catch_up_falls_back_to_a_scan(synced: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CATCH_UP_SECONDS", -1.0)
    synced.put(Side.LOCAL, version(1, minutes=4))

    report = synced.sync()

    assert report.log["detection"]["remote"] == "scan"
    assert contents(synced.local) == contents(synced.remote)


def test_a_recreated_collection_is_scanned(synced: Pair) -> None:
    synced.application[Side.LOCAL]["bookings"].rename("old")
    seed(synced, [version(300)], sides=[Side.LOCAL])

    report = synced.sync()

    [bookings] = [one for one in report.log["collections"] if one["name"] == "bookings"]
    assert bookings["found_by"] == "scan"
    assert synced.get(Side.REMOTE, 300) is not None


def test_more_changes_than_a_stream_should_carry_are_scanned(synced: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_events, "TOUCHED_AT_MOST", 10)
    seed(synced, [version(key) for key in range(100, 150)], sides=[Side.LOCAL])

    report = synced.sync()

    assert report.log["collections"][0]["found_by"] == "scan"
    assert report.counts["pushed"] == 50


def test_every_few_days_everything_is_proved(synced: Pair) -> None:
    assert synced.sync().log["proof"] is None
    synced.put(Side.LOCAL, version(1, minutes=4))

    report = synced.sync(now=NOW + timedelta(days=7))

    proof = report.log["proof"]
    assert proof["verdict"] == "equal"
    assert proof["documents"] == len(contents(synced.local)["bookings"])
    assert proof["found_by_scan_alone"] == 0
    assert "the periodic full comparison is due" in report.log["detection"]["reasons"]
    assert (sync_state.read(synced.local) or {})["proof"]["at"] == NOW + timedelta(days=7)


def test_a_proof_names_what_still_differs(synced: Pair) -> None:
    synced.application[Side.REMOTE].command({"collMod": "bookings", "validator": {"bad": {"$exists": False}}})
    synced.application[Side.LOCAL]["bookings"].insert_one({"_id": 77, "bad": 1})

    proof = synced.sync(exact=True).log["proof"]

    assert proof["verdict"] == "differs"
    assert proof["differing"] == [{"collection": "bookings", "id": 77}]


def test_a_proof_finds_what_a_stream_did_not_report(synced: Pair) -> None:
    """As if somebody had put bytes beneath the server, or we had mistaken a foreign write for an echo."""
    sync_base.clear_collection(synced.local, name="bookings")
    synced.sync()

    report = synced.sync(exact=True)

    assert report.log["proof"]["verdict"] == "equal"


def test_a_standalone_server_is_scanned_alone_and_a_lost_base_scans_both(standalone_pair: Pair) -> None:
    seed(standalone_pair, list(first_documents()))
    standalone_pair.sync()
    standalone_pair.delete(Side.LOCAL, 6)

    report = standalone_pair.sync()
    assert (report.log["detection"]["local"], report.log["detection"]["remote"]) == ("scan", "stream")
    assert report.counts["deleted_remote"] == 1

    sync_base.clear(standalone_pair.local)
    standalone_pair.delete(Side.LOCAL, 7)
    report = standalone_pair.sync()
    assert report.log["collections"][0]["found_by"] == "scan"
    assert "deleted_remote" not in report.counts
    assert standalone_pair.get(Side.LOCAL, 7) is not None, "without a base nothing is deleted"


def test_a_scan_that_ends_early_is_not_taken_for_complete(synced: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    spooled = scan._spool_batch
    cut = lambda batch, *rest: spooled(batch[: int.from_bytes(batch[:4], "little")], *rest)  # noqa: E731
    monkeypatch.setattr(scan, "_spool_batch", cut)

    report = synced.sync(exact=True)

    assert list(report.unresolved) == ["bookings"]
    assert report.left_over == {"bookings": "an unexpected error (ScanFellShort)"}
    assert report.log["proof"]["verdict"] == "differs"
    assert len(contents(synced.local)["bookings"]) == len(contents(synced.remote)["bookings"]) == 12
