"""Every figure in one table: what the product does beside what a user would otherwise pick, or beside a limit of the
machine, measured in turns in one run.

    python -m tests.benchmarks [--size 1|10] [--rounds N] [--documents N] [--only WORDS] [--backups 1000,10000]

mongodump, mongorestore and bsondump are left out where they are not on PATH. `--size 10` takes 10,000,000 documents, in
one round, and purges ten times as many. `--only dump,four` keeps these groups: dump, backup, reading, serve, list,
four, many, purge, incremental, sync, find, copies. Incremental, sync, find and copies are measured once, by commands of
their own, which print more (`python -m tests.benchmarks.sync` …).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from tests.benchmarks import rows, separate_rows
from tests.benchmarks.data import DOCUMENT_BYTES
from tests.benchmarks.site import FOUR, Site, site
from tests.benchmarks.table import Row, show

OF_ONE = ("dump", "backup", "reading", "serve", "list")
GROUPS = (*OF_ONE, "four", "many", "purge", "incremental", "sync", "find", "copies")
MILLION = 1_000_000
PURGED = 100_000


def main() -> None:
    """Measure and print."""
    options = _options()
    documents = options.documents or options.size * MILLION
    rounds = options.rounds or (1 if options.size > 1 else 5)
    for tool in ("mongodump", "mongorestore", "bsondump"):
        if shutil.which(tool) is None:
            print(f"{tool} is not on PATH: rows without it.")
    print(f"{documents:,} documents of {DOCUMENT_BYTES} bytes, medians of {rounds}, {datetime.now(UTC):%Y-%m-%d}, "
          f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}\n")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name:
        show(_rows(Path(name), options, documents), rounds=rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--size", type=int, default=1, choices=[1, 10])
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--only", type=_groups, default=GROUPS)
    parser.add_argument("--backups", default="1000,10000")
    return parser.parse_args()


def _groups(words: str) -> tuple[str, ...]:
    """Raise ArgumentTypeError for a word that is no group: nothing would be measured."""
    groups = tuple(words.split(","))
    if unknown := set(groups) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose of {', '.join(GROUPS)}")
    return groups


def _rows(folder: Path, options: argparse.Namespace, documents: int) -> Iterator[Row]:
    only = options.only
    if any(group in only for group in OF_ONE):
        with site(folder / "one", documents=documents) as one:
            yield from _of_one(one, options, documents)
    if "four" in only:
        with site(folder / "four", documents=documents, collections=FOUR) as four:
            yield from rows.dump(four, what="four collections")
            yield from rows.backup(four, four.backup(), what="four collections")
    if "many" in only:
        with site(folder / "many", documents=1) as many:
            yield from rows.many_collections(many)
    separate: dict[str, Callable[[], Iterator[Row]]] = {
        "purge": lambda: separate_rows.purge(PURGED * options.size),
        "incremental": lambda: separate_rows.incremental(documents),
        "sync": lambda: separate_rows.sync(documents),
        "find": separate_rows.find,
        "copies": separate_rows.copies,
    }
    for name, group in separate.items():
        if name in only:
            yield from group()


def _of_one(one: Site, options: argparse.Namespace, documents: int) -> Iterator[Row]:
    first, second = one.backup(), one.backup()
    groups: dict[str, Callable[[], Iterator[Row]]] = {
        "dump": lambda: chain([rows.read_limit(one)], rows.dump(one, what="one collection")),
        "backup": lambda: rows.backup(one, first, what="one collection"),
        "reading": lambda: rows.reading(one, first, second, documents),
        "serve": lambda: iter([rows.serve(one)]),
        "list": lambda: chain.from_iterable(
            rows.listing(one, first, int(count)) for count in options.backups.split(",")
        ),
    }
    for name, group in groups.items():
        if name in options.only:
            yield from group()


if __name__ == "__main__":
    main()
