"""Pages under 50 readers and 10 searchers while a backup of a gigabyte runs: p95 of the list and of a page, and how
much longer the backup takes than alone. By `serve`, and by gunicorn with two workers of runs.

    python -m tests.benchmarks.readers [--gigabytes N] [--readers N] [--searchers N]

Each reader asks for something once a second: the list, the status, a page of the list, a run, documents. Each searcher
searches one backup once in 20 s. The load comes from a process of its own, whose processor time is printed: what it
takes, the site does not have. Processor seconds are printed for each part. Nothing is compared with a limit: the
machine decides.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from backups_app.mongo.embedded import EmbeddedServer
from tests.benchmarks import processor_time
from tests.benchmarks.data import DOCUMENT_BYTES, fill
from tests.hosts.site import ROOT, Client, Site, free_port, settings_of

DATABASE, PERSON = "bench", "ananya"
WANTED = {"list": 200, "page": 300}
"""Milliseconds, p95."""
WAYS = {"serve": 0, "gunicorn + 2 workers": 2}


def main() -> None:
    """Fill a server, and measure each way of serving: a backup alone, then one under load."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.readers", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--searchers", type=int, default=10)
    options = parser.parse_args()
    count = int(options.gigabytes * 1e9 / DOCUMENT_BYTES)
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name:
        folder = Path(name)
        (folder / "mongod").mkdir()
        with EmbeddedServer(data_dir=folder / "mongod", replica_set="bench") as server:
            with server.client() as client:
                fill(client[DATABASE], collection="bookings", count=count)
            print(f"{count:,} documents, {options.gigabytes:g} GB; {os.cpu_count()} processors.", flush=True)
            for way, workers in WAYS.items():
                with _served(folder / str(workers), server.uri, workers=workers, backups=folder / "backups") as site:
                    _measure(way, site, options)


@contextmanager
def _served(folder: Path, mongodb: str, *, workers: int, backups: Path) -> Iterator[Site]:
    """Serve the site: with `serve`, or with gunicorn and so many workers. Both ways use one backup folder: another one
    would be an unknown store."""
    environment = settings_of(
        "bench", folder=folder, mongodb=mongodb, django_database=f"sqlite:///{folder / 'db.sqlite3'}",
        DATABASE_NAME=DATABASE, BACKUP_ENGINE="python", BACKUP_DIR=str(backups), MONGODUMP_TIMEOUT_SECONDS="3600",
    )  # fmt: skip
    site = Site(environment=environment, folder=folder, port=free_port())
    try:
        site.prepare(PERSON)
        if workers:
            site.start_web()
            for _ in range(workers):
                site.start_worker()
        else:
            site.start_serve()
        yield site
    finally:
        site.stop()


def _measure(way: str, site: Site, options: argparse.Namespace) -> None:
    alone = _backup(site)
    load = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.load", str(site.port), str(options.readers), str(options.searchers)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert load.stdin is not None and load.stdout is not None
    assert load.stdout.readline().strip() == "signed in"
    began, before = time.monotonic(), processor_time.by_part()
    under_load = _backup(site)
    seconds, after = time.monotonic() - began, processor_time.by_part()
    printed, _ = load.communicate("stop\n")
    _print(way, json.loads(printed), alone=alone, under_load=under_load, seconds=seconds)
    used = {part: after[part] - before.get(part, 0.0) for part in sorted(after)}
    parts = ", ".join(f"{part} {used[part]:.1f}" for part in used)
    print(f"  processor seconds of {(os.cpu_count() or 1) * seconds:.0f} in {seconds:.0f} s: {parts}", flush=True)


def _backup(site: Site) -> float:
    """Make a backup through the API. Return its seconds, as its record says."""
    client = Client(site.port)
    client.log_in(PERSON)
    backup_id = client.send("POST", "/api/backup", {"delete_bookings": False})[1]["backup_id"]
    client.log_in(PERSON)  # it may have waited for five minutes
    while (run := client.get(f"/api/backups/{backup_id}")[1])["status"] == "in_progress":
        time.sleep(1)
    assert run["status"] == "success", run
    return sum(_seconds(step) for step in run["steps"])


def _seconds(step: dict[str, Any]) -> float:
    if not (step["started_at"] and step["finished_at"]):
        return 0.0
    return (datetime.fromisoformat(step["finished_at"]) - datetime.fromisoformat(step["started_at"])).total_seconds()


def _print(way: str, found: dict[str, Any], *, alone: float, under_load: float, seconds: float) -> None:
    print(f"{way}: {found['requests']} requests in {seconds:.0f} s, {found['failed']} failed", flush=True)
    for name, times in found["milliseconds"].items():
        wanted = f"   (wanted: < {WANTED[name]})" if name in WANTED else ""
        print(f"  {name:<9} p50 {times['p50']:6.0f} ms   p95 {times['p95']:6.0f} ms   of {times['count']}{wanted}")
    ratio = under_load / alone if alone else 0.0
    print(f"  backup    {under_load:.1f} s under load, {alone:.1f} s alone: {ratio:.2f} times   (wanted: ≤ 1.5)")
    share = found["cpu_seconds"] / seconds
    print(
        f"  the load generator itself took {found['cpu_seconds']:.1f} s of processor time: {share:.0%} of one processor"
    )


if __name__ == "__main__":
    main()
