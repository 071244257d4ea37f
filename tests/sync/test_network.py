"""A real line that is cut, reset, loses replies or is slow: never a wrong "success", and the next sync heals it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from backups_app.catalog.sync import sync_logs
from backups_app.catalog.sync.sync_record import SyncRecord
from backups_app.errors import DatabaseUnreachable, SyncInterrupted, TempleOpsError
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.exact_writes import write_outcome
from backups_app.records import Side
from tests.proxy import Proxy
from tests.sync.pairs import Pair, contents, first_documents, seed, state_pairs, version

OPTIONS: dict[str, Any] = {"w": "majority", "journal": True, "readConcernLevel": "majority", "compressors": "zlib"}


@pytest.fixture
def line(remote_server: EmbeddedServer) -> Iterator[Proxy]:
    with Proxy(remote_server.address) as proxy:
        yield proxy


@pytest.fixture
def far(pair: Pair, line: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """The same pair with Atlas behind a line that we can spoil."""
    monkeypatch.setattr(write_outcome, "TRANSACTION_SECONDS", 3.0)
    client: MongoClient[dict[str, Any]] = MongoClient(
        line.uri, serverSelectionTimeoutMS=1_500, socketTimeoutMS=2_000, **OPTIONS
    )
    seed(pair, list(first_documents()))
    pair.sync()
    state_pairs(pair)
    yield replace(pair, remote=client[pair.remote.name])
    client.close()


def _sync(far: Pair) -> TempleOpsError | None:
    try:
        far.sync(run_id="struck")
    except TempleOpsError as error:
        return error
    return None


def _heals(far: Pair, near: Pair, line: Proxy) -> None:
    line.heal()
    for side in Side:
        near.application[side].client.admin.command({"killAllSessions": []})
    near.assert_every_head_is_somewhere()
    near.assert_converged()
    near.assert_nothing_lost()


def _check(far: Pair, error: TempleOpsError | None) -> None:
    log = sync_logs.of_run(far.local, run_id="struck")
    assert log is not None
    if error is None:
        assert log["status"] == "success"
    else:
        assert (log["status"], log["error_code"]) == ("failed", error.code)
        assert log["half_way"] is isinstance(error, SyncInterrupted)


@pytest.mark.parametrize("count", [900, 3_000, 6_000])
@pytest.mark.parametrize("to_client", [False, True], ids=["to Atlas", "from Atlas"])
def test_a_connection_cut_after_so_many_bytes(far: Pair, pair: Pair, line: Proxy, count: int, to_client: bool) -> None:
    far.remote.client.admin.command("ping")
    line.cut_after(count, to_client=to_client)

    error = _sync(far)

    _check(far, error)
    _heals(far, pair, line)


@pytest.mark.parametrize("command", [b"commitTransaction", b"findAndModify", b"getMore", b"listCollections"])
def test_a_reply_that_never_comes(pair: Pair, line: Proxy, far: Pair, command: bytes) -> None:
    plain: MongoClient[dict[str, Any]] = MongoClient(line.uri, **{**OPTIONS, "compressors": []})
    uncompressed = replace(far, remote=plain[far.remote.name])
    line.lose_reply(to=command)

    error = _sync(uncompressed)

    plain.close()
    _check(far, error)
    _heals(far, pair, line)


def test_a_line_that_resets_now_and_then(far: Pair, pair: Pair, line: Proxy) -> None:
    line.reset_some(0.05)

    _check(far, _sync(far))

    _heals(far, pair, line)


@pytest.mark.parametrize(
    "strike", [Proxy.refuse, Proxy.black_hole], ids=["refuses every connection", "swallows every byte"]
)
def test_an_atlas_out_of_reach_changes_nothing_and_is_named(
    far: Pair, pair: Pair, line: Proxy, strike: Callable[[Proxy], None]
) -> None:
    before = [contents(side) for side in (pair.local, pair.remote)]
    strike(line)

    error = _sync(far)

    assert isinstance(error, DatabaseUnreachable)
    assert error.facts["side"] == "remote"
    _check(far, error)
    assert [contents(side) for side in (pair.local, pair.remote)] == before
    _heals(far, pair, line)


def test_an_atlas_lost_half_way_is_distinguished(far: Pair, pair: Pair, line: Proxy) -> None:
    class Cutting:
        """Refuses everything after the first collection has been carried over."""

        def expect(self, label: str, total: int) -> None: ...
        def note(self, sentence: str) -> None: ...
        def checkpoint(self) -> None: ...
        def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
            if label.startswith("halls"):
                line.refuse()

    seed(pair, [version(key) for key in range(3)], sides=[Side.REMOTE], name="halls")

    with pytest.raises(SyncInterrupted, match="pulled"):
        far.sync(progress=Cutting(), run_id="struck")

    log = sync_logs.of_run(far.local, run_id="struck") or SyncRecord()
    assert (log["status"], log["half_way"]) == ("failed", True)
    _heals(far, pair, line)


def test_a_slow_line_only_takes_longer(far: Pair, pair: Pair, line: Proxy) -> None:
    line.latency(0.05)

    assert _sync(far) is None

    _heals(far, pair, line)
