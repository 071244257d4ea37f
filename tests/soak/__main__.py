"""A site as an operator runs it, for as long as is asked, while everything happens to it that may happen.

    python -m tests.soak [--minutes 120] [--engine python|mongodump] [--seed N]

Each minute a schedule is due: a sync, an incremental backup, or a backup with deletion of bookings. Four applications
insert and edit bookings on both sides, and a reader asks for pages. At random a worker is killed (the other one lives
to the end), the web process is killed (in the first half), and the line to either server is cut or slow. A retention
policy removes old backups. Prints a line a minute, and at the end: the runs, acknowledged versions that are nowhere
(wanted: 0), runs that did not end, backups that do not verify, and how memory and open files went. Ends with 1 when one
is not as wanted.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer
from tests.faults.invariants import Acknowledged, gather
from tests.faults.writers import Writers
from tests.hosts.site import Site, free_port, settings_of
from tests.proxy import Proxy
from tests.soak.mishaps import Mishaps
from tests.soak.reader import Reader
from tests.soak.usage import Usage

DATABASE, PERSON = "temple_db", "ananya"
SCHEDULES = (
    ("sync", "1-59/2 * * * *", ()),
    ("incremental", "2-58/4 * * * *", ()),
    ("backup_and_delete", "*/4 * * * *", ("--confirm", "DELETE BOOKINGS")),
)
POLICY = ("--last", "10", "--daily", "2")
ENDING_SECONDS = 300


def main() -> int:
    """Run a site for so many minutes. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--engine", choices=["python", "mongodump"], default="python")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="templeops-soak-") as name, ExitStack() as opened:
        folder = Path(name)
        servers = {side: opened.enter_context(_server(folder / side)) for side in ("local", "remote")}
        lines = {side: opened.enter_context(Proxy(server.address)) for side, server in servers.items()}
        sides = {side: opened.enter_context(server.client())[DATABASE] for side, server in servers.items()}
        site = _site(folder, lines, options.engine)
        opened.callback(site.stop)
        acknowledged = Acknowledged()
        with Writers(sides, acknowledged, threads=4, seed=options.seed, rest_seconds=0.4) as writers:
            usage = _go_on(site, lines, options, acknowledged)
        usage.failures += [f"an application failed: {failure!r}" for failure in writers.failures]
        _end(site, lines)
        evidence = gather(local=sides["local"], remote=sides["remote"], backup_dir=site.folder / "backups")
        unended = list(sides["local"]["backup_metadata"].find({"status": "in_progress"}, {"_id": 1}))
        lost = evidence.lost(acknowledged.versions())
        print("\n".join(_runs(sides["local"])))
        print(f"{acknowledged.writes:,} acknowledged writes; lost: {len(lost)}; runs that did not end: {len(unended)}; "
              f"backups that do not verify: {evidence.unverifiable or 0}")  # fmt: skip
        print("\n".join(usage.verdict()))
        return bool(lost or unended or evidence.unverifiable or usage.failures)


def _runs(database: Database[dict[str, Any]]) -> list[str]:
    """Return how many runs of each kind ended how, and how many backups are kept."""
    fields = {"kind": 1, "status": 1, "delete_bookings_requested": 1, "incremental_requested": 1}
    kinds = Counter(
        (run["kind"], bool(run.get("delete_bookings_requested")), bool(run.get("incremental_requested")), run["status"])
        for run in database["backup_metadata"].find({}, fields)
    )
    return [
        f"{kind}{' with deletion' if deletes else ''}{', incremental' if incremental else ''}: {status} {count}"
        for (kind, deletes, incremental, status), count in sorted(kinds.items())
    ]


def _server(folder: Path) -> EmbeddedServer:
    folder.mkdir()
    return EmbeddedServer(data_dir=folder, replica_set=folder.name)


def _site(folder: Path, lines: dict[str, Proxy], engine: str) -> Site:
    environment = settings_of(
        "soak", folder=folder / "site", mongodb=lines["local"].uri, MONGODB_CLOUD_URL=lines["remote"].uri,
        django_database=f"sqlite:///{folder / 'db.sqlite3'}", DATABASE_NAME=DATABASE, BACKUP_ENGINE=engine,
    )  # fmt: skip
    site = Site(environment=environment, folder=folder / "site", port=free_port())
    site.prepare(PERSON)
    for work, cron, more in SCHEDULES:
        site.manage("backup_schedule", "add", "--name", work, "--do", work, "--cron", cron, *more)
    site.manage("backup_retention", "set", *POLICY)
    return site


def _go_on(site: Site, lines: dict[str, Proxy], options: argparse.Namespace, acknowledged: Acknowledged) -> Usage:
    """Let everything happen, and look at it once a minute."""
    began = time.monotonic()
    until, usage = began + options.minutes * 60, Usage()
    mishaps = Mishaps(site, lines, random.Random(options.seed), web_until=began + options.minutes * 30)
    with Reader(site.port, PERSON) as reader:
        while time.monotonic() < until:
            mishaps.some(seconds=60)
            usage.look(mishaps.processes())
            print(f"{time.strftime('%H:%M')} {acknowledged.writes:,} writes, {reader.answers:,} pages, "
                  f"{mishaps.summary()}; {usage.summary()}", flush=True)  # fmt: skip
    return usage


def _end(site: Site, lines: dict[str, Proxy]) -> None:
    """Heal the lines, stop the schedules, and let what runs come to its end."""
    for line in lines.values():
        line.heal()
    for work, _, _ in SCHEDULES:
        site.manage("backup_schedule", "pause", work)
    until = time.monotonic() + ENDING_SECONDS
    while time.monotonic() < until and '"in_progress"' in site.manage("backup_list", "--json", "--limit", "3"):
        time.sleep(1)
    site.manage("backup_now", "--keep-bookings")


if __name__ == "__main__":
    sys.exit(main())
