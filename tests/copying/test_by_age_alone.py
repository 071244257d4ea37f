"""An encrypted copy without TempleOps: `jq`, `base64` and stock `age`, as the runbook says, give the folder back."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from backups_app.backup_files import layout
from backups_app.configuration import Compression
from backups_app.storage import encryption
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import work
from tests.conftest import ROOT
from tests.retention import conftest as retention
from tests.retention.conftest import Temple
from tests.storage.making import directory_target

temple = retention.temple
MANIFEST = 'jq -r .contents FILE | base64 -d | age -d -i "$KEY"'
OBJECT = 'age -d -i "$KEY"'


@pytest.mark.skipif(not (shutil.which("age") and shutil.which("jq")), reason="age and jq are not both here")
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_folder_comes_back_by_standard_tools(temple: Temple, tmp_path: Path, compression: Compression) -> None:
    pair = encryption.new_key_pair()
    target = directory_target(tmp_path / "nas", database=temple.database.name)
    settings = TargetSettings(name="nas", kind="file", place=str(target.root))
    changed = dataclasses.replace(
        temple.configuration, targets=(settings,), copy_recipients=(pair.public,), backup_compression=compression
    )
    with override_settings(TEMPLEOPS=changed):
        backup_id = str(temple.run()["backup_id"])
        work.copy_one(configuration=changed, backup_id=backup_id, target="nas")
    key, folder = tmp_path / "key.txt", tmp_path / f"backup_{backup_id}"
    key.write_text(f"{pair.private}\n")
    (manifest,) = target.root.glob("copy-*")

    contents = json.loads(shell(MANIFEST.replace("FILE", str(manifest)), key))
    for file in contents["files"]:
        path = folder / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shell(f"{OBJECT} {target.root / file['object']}", key))

    original = temple.store.folder(backup_id)
    assert held(folder) == held(original)
    assert contents["metadata"] == json.loads((original / layout.METADATA).read_bytes())
    assert any(one.endswith("bookings.bson" + (".gz" if compression == "gzip" else "")) for one in held(folder))


def test_the_runbook_says_so() -> None:
    text = " ".join((ROOT / "docs" / "restore_runbook.md").read_text(encoding="utf-8").split())

    assert f"`{MANIFEST}`" in text
    assert f"`{OBJECT}`" in text


def shell(command: str, key: Path) -> bytes:
    """Return what a line of the runbook prints."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=os.environ | {"KEY": str(key)}, capture_output=True, check=True
    )
    return done.stdout


def held(folder: Path) -> dict[str, bytes]:
    """Return every file of a backup folder but its record."""
    found: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    found.pop(layout.METADATA, None)
    return found
