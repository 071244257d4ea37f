"""Atlas behind a network that fails: whatever happens on the way, nothing is lost and the status states the truth."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups_app.configuration import Secret
from backups_app.mongo.embedded import EmbeddedServer
from tests.faults.conftest import KEEPING, LONG, WITH_DELETION, SeededDatabases
from tests.faults.process_pool import Ended
from tests.proxy import Proxy


@pytest.fixture
def network(remote_server: EmbeddedServer) -> Iterator[Proxy]:
    with Proxy(remote_server.address) as proxy:
        yield proxy


@pytest.fixture
def far_temples(temples: Callable[..., SeededDatabases], network: Proxy) -> Callable[..., SeededDatabases]:
    """Temples whose Atlas is reached through the proxy, and who give it up after four seconds."""

    def make(**more: Any) -> SeededDatabases:
        seeded = temples(**more).with_changes(cloud_url=Secret(network.uri))
        return replace(seeded, impatient=True)

    return make


def _cut_in_the_purge(seeded: SeededDatabases, network: Proxy) -> Ended:
    """Run, and refuse Atlas as soon as the first batch of bookings has been deleted there."""
    ended = threading.Event()

    def watch() -> None:
        highest = 0
        while not ended.is_set():
            now = seeded.remote["bookings"].count_documents({})
            highest = max(highest, now)
            if now < highest:
                network.refuse()
                return
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return seeded.run()
    finally:
        ended.set()
        watcher.join()


def test_cut_in_the_remote_purge_the_run_is_partial_and_resume_finishes_it(
    far_temples: Callable[..., SeededDatabases], network: Proxy
) -> None:
    seeded = far_temples(count=4000)
    whole = seeded.local["bookings"].count_documents({}) + 7

    cut = _cut_in_the_purge(seeded, network)

    result = cut.json()
    assert (cut.exit_code, result["status"], result["resume_available"]) == (3, "partial", True), result
    assert result["collections_deleted_local"] == []
    assert seeded.local["bookings"].count_documents({}) == whole
    assert 0 < seeded.remote["bookings"].count_documents({}) < whole
    seeded.nothing_is_lost()
    network.heal()
    resumed = seeded.run(["backup_resume", result["backup_id"], "--json"])
    assert resumed.exit_code == 0, resumed.stdout + resumed.stderr
    assert resumed.json()["status"] == "success"
    seeded.nothing_is_lost()
    seeded.nothing_is_unfinished()
    seeded.all_is_purged()


def test_a_sync_between_the_cut_and_the_resume_moves_none_of_those_keys(
    far_temples: Callable[..., SeededDatabases], network: Proxy
) -> None:
    seeded = far_temples(count=4000)
    cut = _cut_in_the_purge(seeded, network).json()
    network.heal()
    local, remote = (side["bookings"].count_documents({}) for side in seeded.sides)

    kept = seeded.run(KEEPING)

    between = [side["bookings"].count_documents({}) for side in seeded.sides]
    resumed = seeded.run(["backup_resume", cut["backup_id"], "--json"])
    assert kept.exit_code == 0, kept.stdout + kept.stderr
    assert between == [local, remote]
    assert resumed.exit_code == 0, resumed.stdout + resumed.stderr
    seeded.nothing_is_lost()
    seeded.all_is_purged()


def test_keep_after_all_makes_them_ordinary_documents_again(
    far_temples: Callable[..., SeededDatabases], network: Proxy
) -> None:
    seeded = far_temples(count=4000)
    cut = _cut_in_the_purge(seeded, network).json()
    network.heal()

    kept = seeded.run(["backup_resume", cut["backup_id"], "--keep", "--json"])
    synced = seeded.run(KEEPING)

    assert (kept.exit_code, synced.exit_code) == (0, 0), kept.stdout + synced.stdout
    counts = [side["bookings"].count_documents({}) for side in seeded.sides]
    assert counts[0] == counts[1]
    seeded.nothing_is_lost()


KINDS: dict[str, Callable[[Proxy, int], None]] = {
    "cut to Atlas": lambda network, place: network.cut_after(place),
    "cut from Atlas": lambda network, place: network.cut_after(place, to_client=True),
    "refused": lambda network, place: network.refuse(),
    "black hole": lambda network, place: network.black_hole(),
    "reply lost": lambda network, place: network.lose_reply(larger_than=600),
    "reset": lambda network, place: network.reset(),
    "1 % reset": lambda network, place: network.reset_some(0.01 if LONG else 0.05, seed=place),
    "200 ms": lambda network, place: network.latency(0.1),
    "50 kB/s": lambda network, place: network.throttle(50_000),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_failure_of_the_way_to_atlas_loses_nothing(
    far_temples: Callable[..., SeededDatabases], network: Proxy, kind: str
) -> None:
    chance = random.Random(kind)
    hooks = len(far_temples().run().hooks) if LONG else 0
    codes = []
    struck = 0
    for number in range(15 if LONG else 1):
        seeded = far_temples()
        faults = network.faults
        child = seeded.process_pool.start(
            seeded.configuration, WITH_DELETION, stop_at=_somewhere(chance, hooks, number), impatient=True
        )
        child.wait_until_stopped()
        KINDS[kind](network, chance.randrange(1, 20_000))
        child.signal(signal.SIGCONT)
        ended = child.wait()

        network.heal()
        struck += network.faults > faults
        codes.append(ended.exit_code)
        assert ended.exit_code in (0, 3), ended.stdout + ended.stderr
        seeded.a_plain_run_recovers(ended)
    print(f"\n{kind}: {struck} of {len(codes)} connections struck, exit codes {codes}, 0 lost")


def _somewhere(chance: random.Random, hooks: int, number: int) -> int | str:
    """Return where to stop: as the backup is published and the purge begins, in the sync, later in the purge."""
    return ("disk rename .partial-", int(hooks * chance.uniform(0.05, 0.4)), int(hooks * chance.uniform(0.7, 0.9)))[
        number % 3
    ]


def test_no_atlas_at_all_makes_a_backup_and_deletes_nothing(
    temples: Callable[..., SeededDatabases], tmp_path: Path
) -> None:
    seeded = temples()
    nobody = Secret("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300")
    cut_off = replace(seeded.with_changes(cloud_url=nobody), impatient=True)
    before = [side["bookings"].count_documents({}) for side in seeded.sides]

    ended = cut_off.run(WITH_DELETION)

    assert (ended.exit_code, ended.json()["status"]) == (3, "partial"), ended.stdout
    assert [side["bookings"].count_documents({}) for side in seeded.sides] == before
    seeded.nothing_is_lost()
