"""Exporting a backup: a new folder that is whole or not there, also after a killed export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import durable
from backups_app.dump.python_dump import PythonDump
from backups_app.errors import ExportTargetTaken, VerificationFailed
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.restore import export
from backups_app.restore.source import Source
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
