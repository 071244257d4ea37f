"""One measurement in a process of its own: dump, verify, and how much memory that took. Prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from backups_app.dump import engine
from backups_app.progress import Silent
from backups_app.verification import verdict
from tests.benchmarks import memory


def main(setting: str, compression: str, uri: str, database: str, out: str) -> None:
    """Dump `database` with an engine and verify it."""
    chosen = engine.choose(setting=setting, compression="gzip" if compression == "gzip" else "none")
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    started = time.perf_counter()
    report = chosen.dump(
        database=client[database],
        uri=uri,
        out=Path(out),
        excluded=frozenset(),
        timeout_seconds=3600,
        progress=Silent(),
    )
    dumped = time.perf_counter()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    verdict.verify(folder=Path(out), database=database, report=report, progress=Silent())
    verified = time.perf_counter()
    print(
        json.dumps(
            {
                "dump_seconds": dumped - started,
                "cpu_seconds": sum(usage.ru_utime + usage.ru_stime for usage in used),
                "verify_seconds": verified - dumped,
                "peak_mb": memory.peak_mb(),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
