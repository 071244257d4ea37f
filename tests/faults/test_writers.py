"""Applications write on both sides while run after run deletes: no acknowledged version is ever lost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tests.faults.conftest import LONG, SeededDatabases
from tests.faults.writers import Writers

WRITES, PURGED, SEED = (60_000, 5_000, 4_000) if LONG else (3_000, 1_000, 700)


def test_four_writers_on_both_sides_lose_nothing_while_runs_delete(temples: Callable[..., SeededDatabases]) -> None:
    seeded = temples(count=SEED)
    sides = {"local": seeded.local, "remote": seeded.remote}
    results: list[dict[str, Any]] = []
    started = time.monotonic()

    with Writers(sides, seeded.acknowledged, writes=WRITES) as writers:
        while writers.are_writing:
            results.append(seeded.run().json())
    results += [seeded.run().json() for _ in range(2)]

    purged = sum(_deleted(result) for result in results)
    kept = sum(result["kept_changed"]["count"] for result in results)
    statuses = [result["status"] for result in results]
    evidence = seeded.nothing_is_lost()
    print(
        f"\n{writers.edits} edits and {writers.inserts} inserts acknowledged, {purged} documents purged in "
        f"{len(results)} runs ({statuses.count('success')} success), {kept} kept because they had changed, "
        f"{len(evidence.kept)} versions in sync_conflicts, 0 lost, {time.monotonic() - started:.0f} s"
    )
    assert writers.failures == []
    assert writers.edits + writers.inserts >= WRITES - 4
    assert purged >= PURGED
    assert statuses[-1] == "success", results[-1]
    seeded.nothing_is_unfinished()
    seeded.all_is_purged()


def _deleted(result: dict[str, Any]) -> int:
    sentences = result["collections_deleted_local"] + result["collections_deleted_remote"]
    return sum(int(re.search(r"\((\d+) document", one)[1]) for one in sentences)  # type: ignore[index,misc]
