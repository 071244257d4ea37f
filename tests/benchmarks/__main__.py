"""Dump and verification of a million documents: the built-in engine against mongodump, in one run, as a ratio.

    python -m tests.benchmarks [--documents N] [--rounds N]

mongodump is left out when it is not on PATH. Each measurement runs in a process of its own, so that its peak memory is
its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from backups_app.mongo import mongodump_process
from backups_app.mongo.embedded import EmbeddedServer
from tests.benchmarks.data import DOCUMENT_BYTES, fill

DATABASE = "bench"


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name, _server(Path(name)) as server:
        with server.client() as client:
            fill(client[DATABASE], collection="bookings", count=options.documents)
        print(f"{options.documents:,} documents of {DOCUMENT_BYTES} bytes, best of {options.rounds}:")
        results: dict[str, list[dict[str, Any]]] = {}
        for _ in range(options.rounds):
            for what in _measurements():
                results.setdefault(what, []).append(_measure(what, server.uri, Path(name)))
        for what, rounds in results.items():
            _print(what, rounds, options.documents)
        _print_ratio(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _server(folder: Path) -> EmbeddedServer:
    data = folder / "mongod"
    data.mkdir()
    return EmbeddedServer(data_dir=data, replica_set="bench")


def _measurements() -> list[str]:
    names = ["python none", "python gzip"]
    if mongodump_process.find("mongodump") is None:
        print("mongodump is not on PATH: no comparison.")
        return names
    return ["mongodump none", *names, "mongodump gzip"]


def _measure(what: str, uri: str, folder: Path) -> dict[str, Any]:
    out = folder / "out"
    out.mkdir(mode=0o700)
    command = [sys.executable, "-m", "tests.benchmarks.measure", *what.split(), uri, DATABASE, str(out)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    shutil.rmtree(out)
    result: dict[str, Any] = json.loads(answer.stdout)
    return result


def _print(what: str, rounds: list[dict[str, Any]], documents: int) -> None:
    dump, verify = (min(one[key] for one in rounds) for key in ("dump_seconds", "verify_seconds"))
    memory = max(one["peak_mb"] for one in rounds)
    middle = statistics.median(one["dump_seconds"] for one in rounds)
    cpu = min(one["cpu_seconds"] for one in rounds)
    print(
        f"  {what:15} dump {dump:5.2f} s (median {middle:5.2f}, CPU {cpu:5.2f} with its child)   "
        f"verify {verify:5.2f} s = {documents / verify / 1000:6.0f} thousand/s   peak {memory:4.0f} MB"
    )


def _print_ratio(results: dict[str, list[dict[str, Any]]]) -> None:
    for form in ("none", "gzip"):
        if f"mongodump {form}" in results:
            ours, theirs = (
                min(one["dump_seconds"] for one in results[f"{name} {form}"]) for name in ("python", "mongodump")
            )
            print(f"  built-in / mongodump, compression {form}: {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
