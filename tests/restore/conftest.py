"""Backups that are verified as the product verifies them, and databases to restore them into."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import Manifest
from backups_app.dump import python_dump
from backups_app.progress import Silent
from backups_app.records import UNDUMPED_INTERNAL
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.engine import Engine
from backups_app.restore.live import Live
from backups_app.restore.outcome import CollectionOutcome
from backups_app.restore.plan import decide
from backups_app.restore.source import Source
from backups_app.verification import verdict

FIXTURES = Path(__file__).parent.parent / "fixtures"


def verified(folder: Path, database: str) -> Source:
    """Verify a folder of unknown origin and return it as a restore reads it."""
    manifest = verdict.verify(folder=folder, database=database, report=None, progress=Silent()).manifest
    return Source(folder=folder, manifest=manifest)


@pytest.fixture
def a_source(tmp_path: Path) -> Callable[..., Source]:
    """Call it with collections: writes them as a foreign dump and verifies it."""

    def make(name: str = "source", **collections: Iterable[bytes]) -> Source:
        folder = tmp_path / name
        (folder / "temple").mkdir(parents=True)
        for collection, frames in collections.items():
            (folder / "temple" / f"{layout.file_base(collection)}.bson").write_bytes(b"".join(frames))
        return verified(folder, "temple")

    return make


@pytest.fixture(params=["mongodump_plain", "mongodump_gzip"])
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """The folder of a real mongodump, verified."""
    folder = tmp_path / "golden"
    shutil.copytree(FIXTURES / request.param, folder)
    return verified(folder, "golden")


@pytest.fixture
def safety(tmp_path: Path) -> Callable[[Database[Any]], Source]:
    """Call it with a database: dumps it with the built-in engine and verifies the dump."""
    made = iter(range(100))

    def dump(database: Database[Any]) -> Source:
        address = database.client.address
        assert address is not None
        folder = tmp_path / f"safety_{next(made)}"
        folder.mkdir(mode=0o700)
        report = python_dump.PythonDump().dump(
            database=database,
            uri="mongodb://{}:{}/?directConnection=true".format(*address),
            out=folder,
            excluded=UNDUMPED_INTERNAL,
            timeout_seconds=60,
            progress=Silent(),
        )
        found = verdict.verify(folder=folder, database=database.name, report=report, progress=Silent())
        return Source(folder=folder, manifest=found.manifest)

    return dump


def restore(
    source: Source,
    database: Database[Any],
    *,
    before: Source | None = None,
    mode: Mode = Mode.ADD,
    collections: tuple[str, ...] | None = None,
    document: bytes | None = None,
    in_place: bool = True,
    **more: Any,
) -> dict[str, CollectionOutcome]:
    """Restore what is chosen and return the outcomes by name."""
    choices = Choices(
        backup_id="20250119_143022",
        target=database.name,
        in_place=in_place,
        mode=mode,
        collections=collections,
        document=document,
    )
    plan = decide(manifest=source.manifest, choices=choices, emptied={})
    engine = Engine(
        source=source,
        choices=choices,
        database=database,
        before=before or (Source(folder=source.folder, manifest=Manifest(database="")) if in_place else None),
        claim=None,
        progress=Silent(),
        **more,
    )
    return {name: engine.restore(name) for name in plan.taken}


def frames_of(database: Database[Any], name: str) -> list[bytes]:
    """Return the documents of a collection raw, in natural order, whatever its name."""
    return list(Live(database).frames(name, kind="collection"))


def documents(*pairs: tuple[Any, Any]) -> list[bytes]:
    """Return documents `{_id, v}`."""
    return [bson.encode({"_id": identity, "v": value}) for identity, value in pairs]
