"""Copying a backup to a real S3 server, against a plain copy of the same files by the same library.

    python -m tests.benchmarks.copies [--megabytes N]

Prints seconds, their ratio, and how much the memory of the process grew. Each way takes the best of three rounds.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "templeops.settings")
ROUNDS = 3
PIECE = 1 << 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.copies", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    megabytes: int = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name:
        os.environ["DATABASE_URL"] = f"sqlite:///{name}/django.sqlite3"
        os.environ["MONGODB_LOCAL_URL"] = "mongodb://127.0.0.1/"  # settings ask for one; nothing here connects
        django.setup()
        _measure(Path(name), megabytes)


def _measure(folder: Path, megabytes: int) -> None:
    from django.core.management import call_command

    from backups_app.storage import encryption
    from tests.benchmarks import copying
    from tests.services.seaweed import seaweed

    call_command("migrate", verbosity=0)
    path = folder / "bookings.bson"
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(PIECE))
    (folder / "weed").mkdir()
    with seaweed(folder / "weed") as server:
        server.make_bucket("bench")
        target = copying.target(server)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        plain = _best(lambda: copying.plain(target, path))
        after_plain = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        known = copying.entry(path)
        ours = _best(lambda: copying.ours(target, path, known, recipients=()))
        sealed = _best(lambda: copying.ours(target, path, known, recipients=(encryption.new_key_pair().public,)))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"| plain copy of {megabytes} MB to S3 by the library | {plain:.2f} | |")
    print(f"| copy of {megabytes} MB to S3 | {ours:.2f} | {ours / plain:.2f} |")
    print(f"| copy of {megabytes} MB to S3, encrypted | {sealed:.2f} | {sealed / plain:.2f} |")
    grown = (after_plain - before) / 1024, (after - before) / 1024
    print(f"\nbest of {ROUNDS}; memory: {grown[0]:.0f} MB more by the plain copy, {grown[1]:.0f} MB in all")


def _best(act: Callable[[], None]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        act()
        seconds.append(time.monotonic() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
