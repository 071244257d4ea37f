"""Scans of many parts, with buckets of the base that are split: the way of large collections, made small."""

from __future__ import annotations

import pytest

from backups_app.catalog.sync import sync_base
from backups_app.records import Side
from backups_app.sync import apply_batch
from backups_app.sync.detection import scan
from backups_app.sync.detection.spool import Spool
from tests.sync.pairs import Pair, contents, seed, version


@pytest.fixture(autouse=True)
def _as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "ONE_PART_DOCUMENTS", 10)
    monkeypatch.setattr(scan, "SCAN_DOCUMENTS", 37)
    monkeypatch.setattr(sync_base, "BUCKET_ENTRIES", 4)
    monkeypatch.setattr(apply_batch, "BATCH_DOCUMENTS", 7)


def test_a_large_collection_is_synced_in_parts(any_pair: Pair) -> None:
    seed(any_pair, [version(key) for key in range(300)])
    seed(any_pair, [version(key) for key in range(300, 400)], sides=[Side.LOCAL])
    seed(any_pair, [version(key) for key in range(400, 500)], sides=[Side.REMOTE])

    first = any_pair.sync()
    assert (first.counts["pulled"], first.counts["pushed"]) == (100, 100)

    for key in range(0, 60, 3):
        any_pair.delete(Side.LOCAL, key)
        any_pair.put(Side.REMOTE, version(key + 1, minutes=1))
        any_pair.put(Side.LOCAL, version(key + 2, minutes=1))
    report = any_pair.sync(exact=True)

    assert report.log["proof"]["verdict"] == "equal"
    assert report.counts["deleted_remote"] == 20
    assert len(contents(any_pair.local)["bookings"]) == 480
    any_pair.assert_converged()
    any_pair.assert_nothing_lost()


def test_a_spool_gives_back_what_it_was_given() -> None:
    with Spool(3) as spool:
        for number in range(30_000):
            spool.add(number % 3, b"\x10" + number.to_bytes(4, "little"), number.to_bytes(32, "big"), number)

        found = [[one.size for one in spool.part(part)] for part in range(3)]

    assert [sorted(part) for part in found] == [list(range(part, 30_000, 3)) for part in range(3)]
