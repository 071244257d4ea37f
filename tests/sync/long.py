"""The long form of sync's tests, in pieces of a few minutes each:

    python -m tests.sync.long [--again] [--minutes N]

Every command of a sync as a fault point, and thousands of random syncs. What is done is remembered in
`tests/output/sync_long.json`: stopped, it continues where it was. `--again` starts over, `--minutes` begins
no further piece after so long. At the end stands how much was
tried; too little is a failure.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.sync.counts import FAULT_POINTS, RANDOM_SYNCS

DONE = Path(__file__).parents[1] / "output" / "sync_long.json"
AT_LEAST = {FAULT_POINTS: 2_500, RANDOM_SYNCS: 2_000}
SERVERS = ("replica_set", "standalone")
FAULTS, HISTORIES = "tests/sync/test_fault_points.py", "tests/sync/test_histories.py"
PIECES: dict[str, tuple[str, str]] = {
    **{
        f"{how} {when}, {server}": (FAULTS, f"{how} and {when} and {server}")
        for how in ("crash", "lost")
        for when in ("before", "after")
        for server in SERVERS
    },
    **{
        f"racing {write}, {server}": (FAULTS, f"race and {write} and {server}")
        for write in ("put", "cents", "delete")
        for server in SERVERS
    },
    **{f"random histories, {server}": (HISTORIES, f"random and {server}") for server in SERVERS},
    "streams against scans": (HISTORIES, "streams"),
    **{
        f"cut {when}, {server}": (FAULTS, f"cut and {when} and {server}")
        for when in ("before", "after")
        for server in SERVERS
    },
}
"""File and `-k` expression of each piece."""


def main() -> int:
    """Run the pieces that are not done yet. Return 0 when all are done and enough was tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.sync.long", description=__doc__)
    parser.add_argument("--again", action="store_true", help="starts over")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no further piece after so long")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    if options.again:
        DONE.unlink(missing_ok=True)
    done: dict[str, dict[str, int]] = json.loads(DONE.read_text()) if DONE.exists() else {}
    failed = []
    for number, (name, (path, selection)) in enumerate(PIECES.items(), start=1):
        if name not in done and time.monotonic() > deadline:
            continue
        if name not in done:
            print(f"[{number}/{len(PIECES)}] {name} …", flush=True)
            counted = _run(path, selection)
            if counted is None:
                failed.append(name)
                continue
            done[name] = counted
            DONE.parent.mkdir(exist_ok=True)
            DONE.write_text(json.dumps(done, indent=1))
        print(f"[{number}/{len(PIECES)}] {name}: {_words(done[name])}", flush=True)
    return _conclude(done, failed)


def _run(path: str, selection: str) -> dict[str, int] | None:
    """Run one piece in a process of its own. Return what it counted, None when it failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path, "-k", selection]
    started = time.monotonic()
    ended = subprocess.run(command, env={**os.environ, "TEMPLEOPS_LONG": "1"}, stdout=subprocess.PIPE, text=True)
    found = re.search(r"^counted: (.*)$", ended.stdout, re.MULTILINE)
    if ended.returncode or found is None:
        print(ended.stdout, flush=True)
        return None
    counted = {what: int(number) for number, what in re.findall(r"(\d+) ([a-z ]+)", found[1])}
    return counted | {"seconds": int(time.monotonic() - started)}


def _conclude(done: dict[str, dict[str, int]], failed: list[str]) -> int:
    total: Counter[str] = Counter()
    for counted in done.values():
        total.update(counted)
    print(f"in all: {_words(total)}; {len(done)} of {len(PIECES)} pieces done, failed: {', '.join(failed) or 'none'}")
    enough = all(total[what] >= number for what, number in AT_LEAST.items())
    if len(done) == len(PIECES) and not enough:
        print(f"too little was tried: wanted {_words(AT_LEAST)}")
    return 0 if len(done) == len(PIECES) and enough else 1


def _words(counted: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counted.items())


if __name__ == "__main__":
    sys.exit(main())
