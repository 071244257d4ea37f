"""Exporting a backup: a new folder that is whole or not there, also after a killed export."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import durable
from backups_app.configuration import Configuration
from backups_app.dump.python_dump import PythonDump
from backups_app.errors import (
    ExportAmongBackups,
    ExportNameRefused,
    ExportParentMissing,
    ExportTargetTaken,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.management.commands import backup_export
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.restore import export
from backups_app.restore.source import Source
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import exporting
from backups_app.verification import verdict

Db = Database[dict[str, Any]]


@pytest.fixture
def backup(local_db: Db, local_server: EmbeddedServer, a_folder: Path) -> Source:
    local_db["bookings"].insert_many([{"_id": n} for n in range(20)])
    report = PythonDump().dump(
        database=local_db, uri=local_server.uri, out=a_folder, excluded=frozenset(), timeout_seconds=60,
        progress=Silent(),
    )  # fmt: skip
    found = verdict.verify(folder=a_folder, database=local_db.name, report=report, progress=Silent())
    return Source(folder=a_folder, manifest=found.manifest)


def exported(backup: Source, out: Path) -> export.Exported:
    return export.export(folder=backup.folder, manifest=backup.manifest, out=out, progress=Silent())


@pytest.mark.parametrize("hook", ["create", "write", "fsync", "close", "rename"])
def test_a_killed_export_is_not_there_and_the_next_one_is_whole(backup: Source, tmp_path: Path, hook: str) -> None:
    class Killed(BaseException):
        """Nothing is tidied up after it."""

    def kill(operation: durable.Operation) -> None:
        if operation.kind == hook:
            raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed), durable.recording(kill):
        patch.setattr(durable, "remove_tree", lambda folder: None)
        exported(backup, tmp_path / "out")
    assert (tmp_path / "out").exists() == (hook == "rename")
    if hook != "rename":
        assert exported(backup, tmp_path / "out").documents == 20


def test_what_is_there_is_never_written_over(backup: Source, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportTargetTaken):
        exported(backup, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_rotten_backup_is_not_exported(backup: Source, tmp_path: Path) -> None:
    path = backup.folder / backup.manifest.database / "bookings.bson"
    path.write_bytes(path.read_bytes().replace(b"\x07\0\0\0\0", b"\x08\0\0\0\0", 1))
    with pytest.raises(VerificationFailed):
        exported(backup, tmp_path / "out")
    assert not any(one.name.endswith("out") for one in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("x" * 300, ExportNameRefused),
        ("x" * 250, ExportNameRefused),  # with the prefix of an unfinished export it is too long
        ("missing/out", ExportParentMissing),
        ("loop/out", ExportParentMissing),
    ],
)
def test_each_folder_that_cannot_be_made_is_named_by_its_own_cause(
    backup: Source, tmp_path: Path, name: str, refusal: type[TempleOpsError]
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(refusal):
        exported(backup, tmp_path / name)

    assert {one.name for one in tmp_path.iterdir()} == {"backups", "loop"}


@pytest.mark.parametrize(("inside", "place"), [("backups/out", "BACKUP_DIR"), ("nas/out", "BACKUP_TARGETS")])
def test_an_export_never_lies_among_backups_or_copies(tmp_path: Path, inside: str, place: str) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "nas").mkdir()
    target = TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas"))
    settings = Configuration(backup_dir=tmp_path / "backups", targets=(target,))

    with pytest.raises(ExportAmongBackups) as refusal:
        exporting.require_place(out=tmp_path / inside, configuration=settings)

    assert refusal.value.facts["place"] == place


def test_the_command_that_is_printed_is_the_runbooks(tmp_path: Path) -> None:
    """Not over the database in use, and without our own records."""
    done = export.Exported(path=tmp_path / "an export", database="temple", collections=1, documents=1, bytes=1)
    runbook = (Path(__file__).resolve().parents[2] / "docs" / "restore_runbook.md").read_text()
    block = next(one for one in re.findall(r"```sh stock\n(.*?)```", runbook, re.DOTALL) if "mongorestore" in one)
    expected = (
        block.replace("\\\n", "").replace("$DB", "temple").replace("${DB}", "temple").replace("$DUMP", str(done.path))
    )

    assert sorted(shlex.split(backup_export.restoring(done))) == sorted(shlex.split(expected))
