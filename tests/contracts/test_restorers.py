"""Our restorer and the stock mongorestore on the same backups: every document, option and index the same."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.backup_files.shown import extended_json
from backups_app.dump import python_dump
from backups_app.dump.python_dump import Compression
from backups_app.dump.report import DumpReport
from backups_app.management.demo import filling
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.structures import structures
from backups_app.mongo.structures.structures import Structure
from backups_app.progress import Silent
from backups_app.records import Side
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
    engine = Engine(source=source, choices=choices, database=target, before=None, claim=None, progress=Silent())
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
        report = dumped(golden_db, local_server.uri, folder, "gzip" if form == "gzip" else "none")
    found = verdict.verify(folder=folder, database=golden.NAME, report=report, progress=Silent())
    return Source(folder=folder, manifest=found.manifest)


def dumped(database: Db, uri: str, folder: Path, compression: Compression) -> DumpReport:
    folder.mkdir(mode=0o700)
    return python_dump.PythonDump(compression=compression).dump(
        database=database, uri=uri, out=folder, excluded=frozenset(), timeout_seconds=60, progress=Silent()
    )


@pytest.fixture(scope="module")
def demo_db(local_server: EmbeddedServer) -> Iterator[Db]:
    """The demo's temple, written once."""
    with local_server.client() as client:
        database = client["demo_of_restorers"]
        filling.fill(sides={Side.LOCAL: database}, now=datetime.now(UTC))
        yield database
        filling.reset(sides={Side.LOCAL: database})
        client.drop_database(filling.MARKS)


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

    assert_alike(target, golden_db)


@pytest.mark.parametrize("restorer", [ours, stock])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_everything_that_the_demo_holds_comes_back(
    restorer: Restorer, compression: Compression, demo_db: Db, target: Db, local_server: EmbeddedServer, tmp_path: Path
) -> None:
    report = dumped(demo_db, local_server.uri, tmp_path / "backup", compression)
    found = verdict.verify(folder=tmp_path / "backup", database=demo_db.name, report=report, progress=Silent())

    restorer(Source(folder=tmp_path / "backup", manifest=found.manifest), target, local_server.uri)

    assert found.manifest.documents > 3_000
    assert_alike(target, demo_db)


def assert_alike(target: Db, original: Db) -> None:
    """Every option, every index, every document's bytes, canonical hash by canonical hash."""
    assert described(target) == described(original)
    for name, structure in structures.all_of(original).items():
        if structure.type != "view" and name != "system.views":  # which names its database
            there, here = documents(target, name, structure), documents(original, name, structure)
            assert there == here, name
            assert [canonical(frame) for frame in there] == [canonical(frame) for frame in here], name


def canonical(frame: bytes) -> str:
    """The hash of a document's canonical Extended JSON."""
    return hashlib.sha256(json.dumps(extended_json.canonical(frame), ensure_ascii=False).encode()).hexdigest()


def described(database: Db) -> dict[str, Any]:
    """Every structure with options and indexes in their order, but for what belongs to one server only."""
    found = {}
    for name, structure in structures.all_of(database).items():
        if name.startswith((layout.BUCKETS_PREFIX, "system.")):
            continue
        whole: Structure = structures.with_indexes(database, structure)
        indexes = {index["name"]: [*index.items()] for index in whole.indexes}
        found[name] = (whole.type, [*spelled_out(whole.options).items()], indexes)
    return found


def spelled_out(options: Mapping[str, Any]) -> dict[str, Any]:
    """A rule that is set on a collection that is there says its level and action; made with it, it implies them."""
    implied = {"validationLevel": "strict", "validationAction": "error"} if "validator" in options else {}
    return {**options, **implied, **options}


def documents(database: Db, name: str, structure: Structure) -> list[bytes]:
    """The documents raw: in order where the collection keeps one, else sorted."""
    kind = "collection" if name.startswith(layout.BUCKETS_PREFIX) else structure.type
    frames = list(Live(database).frames(physical_name(name, kind=kind), kind="collection"))
    return frames if structure.options.get("capped") else sorted(frames)
