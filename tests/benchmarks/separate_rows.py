"""Rows of the table whose benchmark has servers or processes of its own: each is run once by its command, which prints
what it measured as lines of Markdown."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.benchmarks.find import EVERYTHING, GREP
from tests.benchmarks.incremental import MEDIAN
from tests.benchmarks.site import timed
from tests.benchmarks.sync import FULL
from tests.benchmarks.table import Act, Measured, Row
from tests.services import seaweed

AWAY_MILLISECONDS = 50
"""So far away is the remote server of the rows of sync."""


def _printed(module: str, *arguments: str) -> dict[str, list[str]]:
    """Run a benchmark and return the cells of its first table by what they are of."""
    printed = timed([sys.executable, "-m", f"tests.benchmarks.{module}", *arguments])[1].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in cells}


def _known(measured: Measured) -> Act:
    return lambda: measured


def incremental(documents: int) -> Iterator[Row]:
    """Incrementals of 1 % changed, beside a full backup."""
    printed = _printed("incremental", "--documents", str(documents))
    rows = {name: Measured(seconds=float(cells[0].split()[0])) for name, cells in printed.items()}
    for name, measured in rows.items():
        if name.endswith(MEDIAN):
            name = name.removesuffix(MEDIAN)
            yield Row(name=name, ours=_known(measured), peer="full", theirs=_known(rows["full"]), rounds=1)


def purge(documents: int) -> Iterator[Row]:
    """The exact delete against the unsafe one, on both kinds of server."""
    from tests.benchmarks import purge as bench

    def deleting(method: bench.Method, replica_set: str | None) -> Act:
        return lambda: Measured(seconds=bench.seconds(method, replica_set, documents))

    for kind, replica_set in (("a standalone server", None), ("a replica set", "bench")):
        yield Row(
            name=f"purge of {documents:,} on {kind}", ours=deleting(bench.exact, replica_set),
            peer="unsafe delete", theirs=deleting(bench.unsafe_in, replica_set),
        )  # fmt: skip


def sync(documents: int) -> Iterator[Row]:
    """Sync with a server that is some milliseconds away, beside reading all of it."""
    away = f"s at {AWAY_MILLISECONDS} ms"
    printed = _printed("sync", "--documents", str(documents), "--latencies", f"0,{AWAY_MILLISECONDS}")
    titles = printed.pop("what")
    found = {name: dict(zip(titles, cells, strict=True)) for name, cells in printed.items()}
    full = found.pop(FULL)
    for name, cells in found.items():
        here = not cells[away]
        measured = Measured(
            seconds=float(cells["s at 0 ms"] if here else cells[away]), peak_mb=float(cells["peak MB"]),
            note=f"{cells['bytes']} bytes, {cells['trips']} trips",
        )  # fmt: skip
        theirs = Measured(seconds=float(full["s at 0 ms"] if here else full[away]))
        yield Row(
            name=f"sync, {0 if here else AWAY_MILLISECONDS} ms away: {name.replace('*', '')}", ours=_known(measured),
            peer="full scan", theirs=_known(theirs), rounds=1,
        )  # fmt: skip


def find() -> Iterator[Row]:
    """Find everywhere, beside a search of the same files by the stock tools."""
    printed = _printed("find")
    rows = {name: Measured(seconds=float(cells[0]), peak_mb=float(cells[1])) for name, cells in printed.items()}
    grep = rows.pop(GREP, None)
    for name, measured in rows.items():
        beside = grep if name.startswith(EVERYTHING) else None
        yield Row(
            name=f"find everywhere: {name}", ours=_known(measured), peer=GREP if beside else "",
            theirs=_known(beside) if beside else None, rounds=1,
        )  # fmt: skip


def copies() -> Iterator[Row]:
    """A copy to a real S3 server, beside a plain one by the same library."""
    if seaweed.program() is None:
        print(f"{seaweed.MISSING} Rows without it.")
        return
    rows = {name: Measured(seconds=float(cells[0])) for name, cells in _printed("copies").items()}
    (peer, plain), *ours = rows.items()
    for name, measured in ours:
        yield Row(name=name, ours=_known(measured), peer=peer, theirs=_known(plain), rounds=1)
