"""The commands of the restore runbook, run in its order: a runbook that was not tried is a guess."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer
from tests.fork_server import ForkServer
from tests.journeys.conftest import AT, contents

Db = Database[dict[str, Any]]
ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "restore_runbook.md"


def blocks(number: int, language: str = "sh") -> list[str]:
    """Return the commands of one section."""
    section = re.split(r"^## ", RUNBOOK.read_text(), flags=re.M)[number]
    return re.findall(rf"^```{language}\n(.*?)^```", section, flags=re.M | re.S)


class Shell:
    """Runs blocks of the runbook as the person at the keyboard would, with what they would fill in."""

    def __init__(self, environment: dict[str, str], folder: Path, fork_server: ForkServer) -> None:
        self.environment = environment
        self.folder = folder
        self._beginning = f"{fork_server.shell_function}set -euo pipefail\n"

    def __call__(self, script: str, **filled_in: str) -> str:
        done = subprocess.run(
            ["bash", "-c", self._beginning + script],
            env=self.environment | filled_in,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def shell(
    tmp_path: Path, local_server: EmbeddedServer, remote_server: EmbeddedServer, local_db: Db, fork_server: ForkServer
) -> Shell:
    """A shell whose environment names both servers, a fresh database and a fresh backup folder."""
    environment = os.environ | {
        "MONGODB_LOCAL_URL": local_server.uri,
        "MONGODB_CLOUD_URL": "",
        "DATABASE_NAME": local_db.name,
        "PRIMARY_DATABASE": "local",
        "BACKUP_DIR": str(tmp_path / "store"),
        "BACKUP_ENGINE": "python",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "SECRET_KEY": "a-key-for-the-tests-only-0123456789abcdef0123456789abcdef",
        "URI": local_server.uri,
        "DB": local_db.name,
    }
    found = Shell(environment, tmp_path, fork_server)
    found("manage.py migrate --verbosity 0")
    return found


def fill(database: Db) -> None:
    database["bookings"].insert_many([{"_id": f"B-{n}", "name": f"Lakshmi {n}", "updatedAt": AT} for n in range(30)])
    database["employee_bookings"].insert_many([{"_id": n, "updatedAt": AT} for n in range(5)])
    database["activities"].insert_many([{"_id": n} for n in range(5)])
    database["devotees"].insert_many([{"_id": n, "phone": f"{n}"} for n in range(20)])
    database["devotees"].create_index("phone", unique=True)


def published(shell: Shell) -> list[str]:
    names = sorted(path.name.removeprefix("backup_") for path in (shell.folder / "store").glob("backup_*"))
    return names


def test_every_step_of_the_runbook_does_what_it_says(shell: Shell, local_db: Db) -> None:
    fill(local_db)
    shell("manage.py backup_now --delete-bookings --confirm 'DELETE BOOKINGS'")
    (purged,) = published(shell)

    # 3. Purged bookings are needed again.
    for script in blocks(3):
        shell(script, ID=purged)
    assert (len(contents(local_db)["bookings"]), len(contents(local_db)["employee_bookings"])) == (30, 5)

    # 2. One document is wrong.
    shell("manage.py backup_now --keep-bookings")
    kept = published(shell)[-1]
    before = contents(local_db)
    local_db["bookings"].update_one({"_id": "B-7"}, {"$set": {"name": "wrong"}})
    for script in blocks(2):
        assert "B-7" in shell(script, ID=kept, DOC="B-7", WORD="Lakshmi 7")
    assert contents(local_db) == before

    # 4. A collection was spoilt; and the decision to replace it was wrong.
    local_db["devotees"].delete_many({"_id": {"$lt": 5}})
    local_db["devotees"].insert_one({"_id": 99, "phone": "new"})
    spoilt = contents(local_db)
    replace, undo = blocks(4)
    shell(replace, ID=kept)
    assert contents(local_db) == before
    shell(undo, RUN=published(shell)[-1])
    assert contents(local_db) == spoilt

    # 5. The database is lost.
    local_db.client.drop_database(local_db.name)
    for script in blocks(5):
        shell(script, ID=kept)
    assert contents(local_db) == before
    assert local_db["devotees"].index_information()["phone_1"]["unique"]

    # 6. The machine is lost: another Django database, another folder with the copies of the backups.
    local_db.client.drop_database(local_db.name)
    shutil.copytree(shell.folder / "store", shell.folder / "copies")
    shell.environment |= {
        "BACKUP_DIR": str(shell.folder / "copies"),
        "DATABASE_URL": f"sqlite:///{shell.folder / 'new.sqlite3'}",
    }
    for script in blocks(6):
        shell(script, ID=kept)
    assert contents(local_db) == before

    # 8. How to know that this will work.
    for script in blocks(8):
        reported = shell(script)
    assert "Restore tested" in reported
    shown = shell("manage.py backup_show latest")
    assert ": success." in shown and "Backup 2" not in shown  # a rehearsal makes none
    assert "good" in shell("manage.py backup_verify latest")


@pytest.mark.parametrize("form", ["full", "incremental, exported", "incremental, by the script"])
def test_the_steps_with_stock_tools_alone_bring_everything_back(shell: Shell, local_db: Db, form: str) -> None:
    missing = [tool for tool in ("mongorestore", "bsondump", "jq", "sha256sum") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not on PATH: {', '.join(missing)}. Install them to try the runbook's seventh section.")
    fill(local_db)
    before = contents(local_db)
    shell("manage.py backup_now --keep-bookings")
    if form != "full":
        local_db["bookings"].delete_one({"_id": "B-1"})
        local_db["devotees"].update_one({"_id": 3}, {"$set": {"phone": "new"}})
        before = contents(local_db)
        shell("manage.py backup_now --incremental")
    folder = shell.folder / f"store/backup_{published(shell)[-1]}"
    dump = folder if form == "full" else whole(shell, folder, form)
    restored = local_db.client[f"{local_db.name}_restored"]

    reported = [shell(script, FOLDER=str(folder), DUMP=str(dump)) for script in blocks(7, "sh stock")]

    assert contents(restored) == before
    assert restored["devotees"].index_information()["phone_1"]["unique"]
    counts = {name: int(count) for name, count in (line.split() for line in reported[2].splitlines())}
    assert counts == {name: restored[name].count_documents({}) for name in restored.list_collection_names()}
    assert '"phone"' in reported[3]
    local_db.client.drop_database(restored.name)


def whole(shell: Shell, folder: Path, form: str) -> Path:
    """Return the dump that the runbook makes of an incremental backup, with TempleOps or without."""
    out = shell.folder / "whole"
    if "script" in form:
        (script,) = blocks(7, "python")
        (shell.folder / "whole.py").write_text(script)
        shell(f'"{sys.executable}" whole.py "$FOLDER" "$OUT"', FOLDER=str(folder), OUT=str(out))
        return out
    backup_id = folder.name.removeprefix("backup_")
    printed = shell('manage.py backup_export "$ID" --out "$OUT"', ID=backup_id, OUT=str(out))
    assert f"FOLDER={folder} and DUMP={out}" in printed
    assert "4 collections, 54 documents, and " in printed  # TempleOps' own records are counted apart
    return out
