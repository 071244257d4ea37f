"""A whole run with deletion over a million documents: seconds a step, and the peak memory of the process that did it.

    python -m tests.benchmarks.whole_run [--documents N]

Sync, dump, verification and both purges run in one `manage.py backup_now`, as a temple's own would.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from backups_app.mongo.embedded import EmbeddedServer
from tests.benchmarks.data import DOCUMENT_BYTES, fill

DATABASE = "bench"
ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Fill two servers with the same documents, run twice (the second time nothing is new), and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.whole_run", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    count = parser.parse_args().documents
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name:
        folder = Path(name)
        for side in ("local", "remote"):
            (folder / side).mkdir()
        with (
            EmbeddedServer(data_dir=folder / "local", replica_set="local") as local,
            EmbeddedServer(data_dir=folder / "remote", replica_set="remote") as remote,
        ):
            for server in (local, remote):
                with server.client() as client:
                    fill(client[DATABASE], collection="bookings", count=count)
            environment = _environment(folder, local.uri, remote.uri)
            _manage(environment, "migrate", "--verbosity", "0")
            print(f"{count:,} documents of {DOCUMENT_BYTES} bytes on both sides, first sync included:", flush=True)
            _print(*_manage(environment, "backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS", "--json"))


def _environment(folder: Path, local: str, remote: str) -> dict[str, str]:
    return os.environ | {
        "MONGODB_LOCAL_URL": local,
        "MONGODB_CLOUD_URL": remote,
        "DATABASE_NAME": DATABASE,
        "PRIMARY_DATABASE": "local",
        "BACKUP_DIR": str(folder / "backups"),
        "BACKUP_ENGINE": "python",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "SECRET_KEY": "a-key-for-the-benchmark-only-0123456789abcdef0123456789abcdef",
    }


def _manage(environment: dict[str, str], *arguments: str) -> tuple[dict[str, Any], float, float]:
    """Run a command. Return its JSON, its seconds and its peak resident memory in MB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments], env=environment, stdout=subprocess.PIPE, check=False
    )
    seconds = time.perf_counter() - began
    # Of all children so far: the run is far the largest of them.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return (json.loads(done.stdout) if done.stdout.strip().startswith(b"{") else {}), seconds, peak


def _print(run: dict[str, Any], seconds: float, peak: float) -> None:
    for step in run["steps"]:
        began, ended = (datetime.fromisoformat(step[name]) for name in ("started_at", "finished_at"))
        print(f"  {step['name']:<14} {step['state']:<8} {(ended - began).total_seconds():6.0f} s  {step['sentence']}")
    print(f"  {run['status']}, {seconds:.0f} s in all, peak memory {peak:.0f} MB (mongod is another process)")


if __name__ == "__main__":
    main()
