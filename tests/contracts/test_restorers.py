"""Our restorer and the stock mongorestore on the same backups: every document, option and index the same."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.dump import python_dump
from backups_app.mongo import structures
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.structures import Structure
from backups_app.progress import Silent
from backups_app.restore.choices import Choices
from backups_app.restore.engine import Engine
from backups_app.restore.live import Live, physical_name
from backups_app.restore.plan import decide
from backups_app.restore.source import Source
from backups_app.verification import verdict

from . import golden

Db = Database[dict[str, Any]]
Restorer = Callable[[Source, Db, str], None]


def ours(source: Source, target: Db, uri: str) -> None:
    choices = Choices(backup_id="20250119_143022", target=target.name, in_place=False)
    engine = Engine(source=source, choices=choices, database=target, before=None, release=None, progress=Silent())
    for name in decide(manifest=source.manifest, choices=choices, emptied={}).taken:
        outcome = engine.restore(name)
        assert outcome.complete, outcome
        assert outcome.sentences == []


def stock(source: Source, target: Db, uri: str) -> None:
    if shutil.which("mongorestore") is None:
        pytest.skip("mongorestore is not on PATH: install MongoDB Database Tools to let it judge our backups.")
    folder = source.folder / source.manifest.database
    packed = ["--gzip"] if list(folder.glob("*.bson.gz")) else []
    command = ["mongorestore", "--uri", uri, "--db", target.name, *packed, "--maintainInsertionOrder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["mongodump plain", "mongodump gzip", "python", "python gzip"])
def source(request: pytest.FixtureRequest, golden_db: Db, local_server: EmbeddedServer, tmp_path: Path) -> Source:
    """The golden database in a backup of each make, verified."""
    folder = tmp_path / "backup"
    maker, _, form = request.param.partition(" ")
    report = None
    if maker == "mongodump":
        shutil.copytree(golden.GZIP if form == "gzip" else golden.PLAIN, folder)
    else:
        folder.mkdir(mode=0o700)
        report = python_dump.PythonDump(compression="gzip" if form else "none").dump(
            database=golden_db,
            uri=local_server.uri,
            out=folder,
            excluded=frozenset(),
            timeout_seconds=60,
            progress=Silent(),
        )
    found = verdict.verify(folder=folder, database=golden.NAME, report=report, progress=Silent())
    return Source(folder=folder, manifest=found.manifest)


@pytest.fixture
def target(local_server: EmbeddedServer) -> Iterator[Db]:
    """An empty database."""
    with local_server.client() as client:
        yield client["restored"]
        client.drop_database("restored")


@pytest.mark.parametrize("restorer", [ours, stock])
def test_a_restorer_brings_back_every_document_option_and_index(
    restorer: Restorer, source: Source, target: Db, golden_db: Db, local_server: EmbeddedServer
) -> None:
    restorer(source, target, local_server.uri)

    assert described(target) == described(golden_db)
    for name, structure in structures.all_of(golden_db).items():
        if structure.type != "view" and name != "system.views":  # which names its database
            assert documents(target, name, structure) == documents(golden_db, name, structure), name


def described(database: Db) -> dict[str, Any]:
    """Every structure with options and indexes in their order, but for what belongs to one server only."""
    found = {}
    for name, structure in structures.all_of(database).items():
        if name.startswith((layout.BUCKETS_PREFIX, "system.")):
            continue
        whole: Structure = structures.with_indexes(database, structure)
        indexes = {index["name"]: [*index.items()] for index in whole.indexes}
        found[name] = (whole.type, [*whole.options.items()], indexes)
    return found


def documents(database: Db, name: str, structure: Structure) -> list[bytes]:
    """The documents raw: in order where the collection keeps one, else sorted."""
    kind = "collection" if name.startswith(layout.BUCKETS_PREFIX) else structure.type
    frames = list(Live(database).frames(physical_name(name, kind=kind), kind="collection"))
    return frames if structure.options.get("capped") else sorted(frames)
