"""The rows of the table: what is measured in which site, and what it is held against."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from backups_app.mongo.embedded import free_port
from tests.benchmarks import limits
from tests.benchmarks.site import Site, timed
from tests.benchmarks.table import Act, Measured, Row

MANY = 1_000
"""So many small collections in one database."""


def dump(site: Site, *, what: str, rounds: int | None = None) -> Iterator[Row]:
    """Dump by the built-in engine, which hashes and syncs what it writes, and by mongodump, which does neither: as it
    is, and with the commands that a user needs for the same promise. Plain and compressed."""
    for compression, word in (("none", "plain"), ("gzip", "gzip")):
        name = f"dump of {what}, {word}"
        ours = _dumped(site, "python", compression)
        if not shutil.which("mongodump"):
            yield Row(name=name, ours=ours, rounds=rounds)
            continue
        for peer, kept in (("mongodump", False), ("mongodump, sha256sum, sync", True)):
            yield Row(name=name, ours=ours, peer=peer, theirs=_mongodump(site, compression, kept=kept), rounds=rounds)


def _dumped(site: Site, engine: str, compression: str) -> Act:
    def act() -> Measured:
        with site.scratch() as out:
            found = site.child(
                "tests.benchmarks.measure", engine, compression, site.server.uri, site.database, str(out)
            )
        return Measured(seconds=found["dump_seconds"], peak_mb=found["peak_mb"])

    return act


def _mongodump(site: Site, compression: str, *, kept: bool) -> Act:
    """`kept`: afterwards each file is hashed and synced to the disk."""

    def act() -> Measured:
        with site.scratch() as out:
            command = ["mongodump", "--quiet", "--uri", site.server.uri, "--db", site.database, "--out", str(out)]
            dumped = timed([*command, "--gzip"] if compression == "gzip" else command)[0]
            files = [str(path) for path in out.rglob("*.*")] if kept else []
            more = [timed([program, *files])[0].seconds for program in ("sha256sum", "sync") if files]
        return replace(dumped, seconds=dumped.seconds + sum(more))

    return act


def many_collections(site: Site) -> Iterator[Row]:
    """A dump of a thousand small collections."""
    with site.server.client() as client:
        for number in range(MANY):
            client[site.database][f"small_{number}"].insert_many([{"_id": at} for at in range(10)])
    yield from dump(site, what=f"{MANY:,} small collections")


def backup(site: Site, backup_id: str, *, what: str) -> Iterator[Row]:
    """What is done with a backup: verified, restored, previewed, exported, copied."""
    folder = site.backups / f"backup_{backup_id}"
    files = sorted(folder.rglob("*.bson"))
    yield Row(
        name=f"verify {what}", ours=lambda: site.manage("backup_verify", backup_id)[0],
        peer="reading and SHA-256", theirs=lambda: limits.hashed(files),
    )  # fmt: skip
    restored = _mongorestore(site, folder) if shutil.which("mongorestore") else None
    yield Row(
        name=f"restore {what}, compared afterwards", ours=_restored(site, backup_id),
        peer=(restored and "mongorestore, without comparison") or "", theirs=restored,
    )  # fmt: skip
    yield Row(
        name=f"restore {what}, compared afterwards", ours=_restored(site, backup_id),
        peer="insert of raw batches", theirs=lambda: limits.inserted(site, files), rounds=1,
    )  # fmt: skip
    yield Row(
        name=f"preview of a restore of {what}, all of it live",
        ours=lambda: site.manage("backup_restore", backup_id, "--dry-run")[0],
    )
    yield Row(name=f"export {what}", ours=_exported(site, backup_id), peer="cp", theirs=_cp(site, folder))
    yield Row(
        name=f"copy {what} to a directory, read back",
        ours=_copied(site, backup_id),
        peer="cp",
        theirs=_cp(site, folder),
    )


def _restored(site: Site, backup_id: str) -> Act:
    def act() -> Measured:
        site.drop("bench_copy")
        return site.manage("backup_restore", backup_id, "--to", "bench_copy", "--json")[0]

    return act


def _mongorestore(site: Site, folder: Path) -> Act:
    def act() -> Measured:
        site.drop("bench_theirs")
        command = ["mongorestore", "--quiet", "--uri", site.server.uri, "--db", "bench_theirs", str(folder / "bench")]
        return timed(command)[0]

    return act


def _exported(site: Site, backup_id: str) -> Act:
    def act() -> Measured:
        with site.scratch() as out:
            return site.manage("backup_export", backup_id, "--out", str(out / "export"))[0]

    return act


def _copied(site: Site, backup_id: str) -> Act:
    def act() -> Measured:
        shutil.rmtree(site.folder / "nas", ignore_errors=True)
        (site.folder / "nas").mkdir(mode=0o700)
        site.manage("backup_copies", "init", "nas")
        return site.manage("backup_copy", backup_id, "--to", "nas")[0]

    return act


def _cp(site: Site, folder: Path) -> Act:
    def act() -> Measured:
        with site.scratch() as out:
            return timed(["cp", "-r", str(folder), str(out)])[0]

    return act


def reading(site: Site, backup_id: str, second_id: str, documents: int) -> Iterator[Row]:
    """Pages, search and comparison, each as a command with the start of its interpreter."""
    path = next((site.backups / f"backup_{backup_id}").rglob("bookings.bson"))
    middle = str(documents // 2)
    yield Row(
        name="page of 1,000 documents from the middle",
        ours=lambda: site.manage("backup_docs", backup_id, "bookings", "--from", middle, "--limit", "1000",
                                 "--format", "ndjson")[0],
    )  # fmt: skip
    word = f'"{documents - 1}"'
    yield Row(
        name="search for a number in the last document",
        ours=lambda: site.manage("backup_docs", backup_id, "bookings", "--search", word, "--format", "ndjson")[0],
        peer="bsondump + grep" if shutil.which("bsondump") else "",
        theirs=(lambda: limits.grepped(path, str(documents - 1))) if shutil.which("bsondump") else None,
    )
    yield Row(
        name="compare two backups", ours=lambda: site.manage("backup_diff", backup_id, second_id)[0],
        peer="cmp", theirs=lambda: limits.compared(path, backup_id, second_id),
    )  # fmt: skip


def serve(site: Site) -> Row:
    """From the start of `serve` to its first answer."""

    def act() -> Measured:
        port = free_port()
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)], env=site.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{port}/")
            return Measured(seconds=time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait(timeout=30)

    return Row(name="start of `serve`, to its first answer", ours=act)


def _wait_for(address: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (TimeoutError, OSError):
            time.sleep(0.02)


def listing(site: Site, backup_id: str, count: int) -> Iterator[Row]:
    """The list of so many backups: in a process that has listed them before, and as a command."""
    store = limits.multiplied(site, backup_id, count)
    found = {"result": {"first_seconds": 0.0, "again_seconds": 0.0, "peak_mb": 0.0}}

    def listed(key: str) -> Act:
        def act() -> Measured:
            environment, site.environment = site.environment, {**site.environment, **store}
            try:
                found["result"] = site.child("tests.benchmarks.list_backups")
            finally:
                site.environment = environment
            return Measured(seconds=found["result"][key], peak_mb=found["result"]["peak_mb"])

        return act

    yield Row(name=f"list of {count:,} backups, the first of a process", ours=listed("first_seconds"))
    yield Row(name=f"list of {count:,} backups, again", ours=listed("again_seconds"))

    def command() -> Measured:
        return timed(
            [sys.executable, "manage.py", "backup_list", "--limit", "25"], environment={**site.environment, **store}
        )[0]

    yield Row(name=f"`backup_list --limit 25` of {count:,} backups", ours=command)


def read_limit(site: Site) -> Row:
    """What a client that keeps nothing takes to read the collection."""
    return Row(name="raw cursor over one collection, kept nowhere", ours=lambda: limits.read(site, os.devnull))
