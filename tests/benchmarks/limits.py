"""Peers and physical limits: what the machine, or a tool that promises less, takes for the same."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backups_app.backup_files.reading import bson_frames
from backups_app.mongo import scanning
from backups_app.mongo.exact_writes import encoding
from tests.benchmarks.site import Site
from tests.benchmarks.table import Measured

_PIECE = 4 * 1024 * 1024


def _clocked(work: Callable[[], object]) -> Measured:
    began = time.perf_counter()
    work()
    return Measured(seconds=time.perf_counter() - began)


def hashed(files: Sequence[Path]) -> Measured:
    """Read files and hash them."""

    def work() -> None:
        for path in files:
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")

    return _clocked(work)


def read(site: Site, out: str) -> Measured:
    """Read a collection by a raw cursor, in this process."""

    def work() -> None:
        with site.server.client() as client, Path(out).open("wb") as file:
            for batch in scanning.batches(client[site.database], {"find": "bookings", "batchSize": 10_000}):
                file.write(batch.array)

    return _clocked(work)


def inserted(site: Site, files: Sequence[Path]) -> Measured:
    """Insert the documents of files as raw batches, journaled, one batch after the other, without a comparison."""
    site.drop("bench_raw")

    def work() -> None:
        with site.server.client() as client:
            for path in files:
                with path.open("rb") as stream:
                    for batch in bson_frames.batches(stream):
                        _insert(client, path.stem, batch)

    def _insert(client: object, name: str, batch: list[bytes]) -> None:
        database = client["bench_raw"]  # type: ignore[index]
        database.command(
            {"insert": name, "documents": [encoding.Together(batch)], "writeConcern": {"w": "majority", "j": True}}
        )

    return _clocked(work)


def grepped(path: Path, word: str) -> Measured:
    """Search as people do who have the stock tools alone."""

    def work() -> None:
        dumped = subprocess.Popen(["bsondump", "--quiet", str(path)], stdout=subprocess.PIPE)
        subprocess.run(["grep", "-c", word], stdin=dumped.stdout, stdout=subprocess.DEVNULL, check=False)
        dumped.wait()

    return _clocked(work)


def compared(path: Path, first_id: str, second_id: str) -> Measured:
    """Compare two data files byte by byte."""
    other = Path(str(path).replace(first_id, second_id))
    return _clocked(lambda: subprocess.run(["cmp", "-s", str(path), str(other)], check=False))


def multiplied(site: Site, backup_id: str, count: int) -> dict[str, str]:
    """Make a store of so many backups like this one, its data files sparse, with their records. Return the environment
    of a temple of its own that has them."""
    name, root = f"listed_{count}", site.folder / f"listed_{count}"
    root.mkdir(mode=0o700)
    source = site.backups / f"backup_{backup_id}"
    written = (source / "metadata.json").read_text()
    with site.server.client() as client:
        record = client[site.database]["backup_metadata"].find_one({"_id": backup_id})
        assert record is not None
        client[name]["bookings"].insert_one({})
        records = []
        for number in range(count):
            at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number)
            one = f"{at:%Y%m%d_%H%M%S}"
            document = json.loads(written.replace(backup_id, one).replace(f'"{site.database}', f'"{name}'))
            document["created_at"] = document["backup_timestamp"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
            document["stamps"] = _files(root / f"backup_{one}", document["manifest"]["files"])
            (root / f"backup_{one}" / "metadata.json").write_text(json.dumps(document))
            records.append({**record, "_id": one, "backup_id": one, "created_at": at, "database": name})
        client[name]["backup_metadata"].insert_many(records)
    return {"DATABASE_NAME": name, "BACKUP_DIR": str(root)}


def _files(folder: Path, files: dict[str, dict[str, int]]) -> dict[str, list[int]]:
    stamps = {}
    for relative, entry in files.items():
        path = folder / relative
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(entry["bytes"])
        status = path.stat()
        if not relative.endswith(".idx"):
            stamps[relative] = [status.st_size, status.st_mtime_ns]
    return stamps
