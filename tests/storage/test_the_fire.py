"""The building burns: MongoDB, the Django database and the backup folder are gone. The first chapter of the runbook,
word for word, brings back every document that was live and every booking that was deleted in three seasons."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files.reading import collection_reader
from backups_app.backup_files.store.store import Store
from backups_app.management.demo import filling, temple
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import INTERNAL, Side
from backups_app.runs import preparation
from backups_app.storage import encryption
from tests.commands import Commands
from tests.conftest import Migrated
from tests.fork_server import ForkServer
from tests.journeys.conftest import RAW, now
from tests.journeys.test_runbook import Shell, blocks
from tests.services.seaweed import WRITES, Seaweed

Db = Database[dict[str, Any]]
Held = dict[str, list[bytes]]
"""The documents of each collection, as bytes."""
BUCKET, PREFIX, TARGET = "fire", "temple", "offsite"
SEASONS = 3
DELETE = ("backup_now", "--delete-bookings", "--confirm", "DELETE BOOKINGS", "--json")
BOOKED = ("bookings", "employee_bookings")


@pytest.fixture
def keys() -> encryption.KeyPair:
    return encryption.new_key_pair()


@pytest.fixture
def paper(s3_server: Seaweed, keys: encryption.KeyPair) -> dict[str, str]:
    """What stands on the paper: the settings that a new machine needs."""
    s3_server.make_bucket(BUCKET)
    return {
        "PATH": os.environ["PATH"],
        "PRIMARY_DATABASE": "local",
        "DATABASE_NAME": "temple_of_the_fire",
        "BACKUP_ENGINE": "python",
        "AUDIT_KEY": "a-key-for-the-trail-of-the-fire-0123456789abcdefghijklmnop",
        "BACKUP_COPY_RECIPIENTS": keys.public,
        "BACKUP_TARGETS": f"{TARGET}=s3://{BUCKET}/{PREFIX}",
        "BACKUP_TARGET_OFFSITE_ENDPOINT": s3_server.endpoint,
        "BACKUP_TARGET_OFFSITE_REGION": "us-east-1",
        "BACKUP_TARGET_OFFSITE_ACCESS_KEY_ID": WRITES[0],
        "BACKUP_TARGET_OFFSITE_SECRET_ACCESS_KEY": WRITES[1],
    }


def machine(folder: Path, server: EmbeddedServer, paper: dict[str, str]) -> dict[str, str]:
    """Return the environment of a machine: its MongoDB, its Django database, its backup folder."""
    folder.mkdir()
    return paper | {
        "HOME": str(folder),
        "MONGODB_LOCAL_URL": server.uri,
        "MONGODB_CLOUD_URL": "",
        "BACKUP_DIR": str(folder / "backups"),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
    }


@pytest.fixture
def burned(local_server: EmbeddedServer) -> Iterator[Db]:
    """The temple's database before the fire."""
    with local_server.client() as client:
        yield client["temple_of_the_fire"]
        client.drop_database("temple_of_the_fire")


@pytest.fixture
def restored(remote_server: EmbeddedServer) -> Iterator[Db]:
    """The database on the new machine: another server, empty."""
    with remote_server.client() as client:
        yield client["temple_of_the_fire"]
        client.drop_database("temple_of_the_fire")


def live(database: Db) -> Held:
    """Return every live document of the temple."""
    names = [name for name in database.list_collection_names() if name not in INTERNAL and "system." not in name]
    return {name: held(database, name) for name in sorted(names)}


def held(database: Db, name: str) -> list[bytes]:
    collection: Any = database.get_collection(name, codec_options=RAW)
    return sorted(bytes(one.raw) for one in collection.find())


def season(database: Db, number: int) -> Held:
    """Take the bookings of a season. Return them."""
    if number:
        for one in temple.collections():
            if one.name in BOOKED:
                rows = [{**row, "_id": f"season-{number}-{row['_id']}"} for row in one.documents]
                database[one.name].insert_many(rows)
    return {name: live(database)[name] for name in BOOKED}


def put_away(shell: Shell) -> int:
    """Let the copying lane of the worker do its work. Return how many copies it made."""
    script = """
from backups_app import configuration
from backups_app.use_cases.copies import work
print(work.copy_what_is_lacking(configuration=configuration.current()))
"""
    return int(python(shell, script))


def python(shell: Shell, script: str) -> str:
    """Run a few lines as the product would. Return what they print."""
    return shell(f'manage.py shell -v 0 -c "{script}"').strip()


def test_everything_comes_back_by_the_runbook(
    tmp_path: Path, local_server: EmbeddedServer, remote_server: EmbeddedServer, burned: Db, restored: Db,
    paper: dict[str, str], keys: encryption.KeyPair, migrated: Migrated, fork_server: ForkServer,
) -> None:  # fmt: skip
    lived = life_of_the_temple(machine(tmp_path / "before", local_server, paper), burned, migrated, fork_server)
    burn(burned, tmp_path / "before")
    after = machine(tmp_path / "after", remote_server, paper)
    shell = Shell(os.environ | after, tmp_path / "after", fork_server)
    key_file = tmp_path / "key.txt"
    key_file.write_text(f"{keys.private}\n")
    began = time.monotonic()

    sentences = [shell(script, TARGET=TARGET, KEY=str(key_file)) for script in blocks(1)]

    print(f"\nEverything was back after {(time.monotonic() - began) / 60:.1f} minutes.")
    assert live(restored) == lived.live
    assert [in_backup(Path(after["BACKUP_DIR"]), backup_id) for backup_id in lived.made[:SEASONS]] == lived.deleted
    assert all(backup_id in sentences[0] for backup_id in lived.made)
    assert trail(shell).startswith(lived.trail)
    assert signs_in(shell) == "200 0"
    assert "nightly" in sentences[-1]
    assert not list(Path(after["BACKUP_DIR"]).glob(".partial-*"))


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What each season deleted, what is live, the ids of the backups, the oldest first, and the audit trail."""

    deleted: list[Held]
    live: Held
    made: list[str]
    trail: str


def life_of_the_temple(environment: dict[str, str], database: Db, migrated: Migrated, fork_server: ForkServer) -> Lived:
    """Three seasons whose bookings are deleted after their backup, and a fourth that is live; all copied, encrypted."""
    filling.fill(sides={Side.LOCAL: database}, now=now())
    migrated(Path(environment["HOME"]) / "db.sqlite3")
    password = {"DJANGO_SUPERUSER_PASSWORD": "a-long-enough-password"}
    shell = Shell(os.environ | environment | password, Path(environment["HOME"]), fork_server)
    shell("manage.py createsuperuser --noinput --username ananya")
    with Commands(os.environ | environment) as commands:
        commands.run("backup_schedule", "add", "--name", "nightly", "--do", "backup", "--cron", "0 2 * * *")
        deleted = []
        for number in range(SEASONS):
            deleted.append(season(database, number))
            done = commands.run(*DELETE)
            assert done.returncode == 0, done.stdout + done.stderr
        season(database, SEASONS)
        assert commands.run("backup_now", "--keep-bookings", "--json").returncode == 0
    made = sorted(Store(Path(environment["BACKUP_DIR"])).backups().ids)
    reported = trail(shell)
    assert put_away(shell) == len(made)
    return Lived(deleted=deleted, live=live(database), made=made, trail=reported)


def trail(shell: Shell) -> str:
    script = """
from backups_app.models import AuditEvent
print(*[(row.n, row.actor, row.action, row.chain) for row in AuditEvent.objects.order_by('n')])
"""
    return python(shell, script)


def signs_in(shell: Shell) -> str:
    """Give the person who came back a password, as `changepassword` does, and sign in. Return status and role."""
    script = """
from django.test import Client
from backups_app.models import User
person = User.objects.get(username='ananya')
assert not person.has_usable_password()
person.set_password('a-new-and-long-password')
person.save()
given = {'username': 'ananya', 'password': 'a-new-and-long-password'}
answer = Client(SERVER_NAME='localhost').post('/api/auth/login', given, content_type='application/json')
print(answer.status_code, answer.json()['user']['role_id'])
"""
    return python(shell, script)


def burn(database: Db, folder: Path) -> None:
    """Erase MongoDB's database, the Django database and the backup folder."""
    database.client.drop_database(database.name)
    shutil.rmtree(folder)


def in_backup(root: Path, backup_id: str) -> Held:
    """Return the bookings that a fetched backup holds."""
    store = Store(root)
    manifest = preparation.manifest_of(store, backup_id=backup_id)
    folder, entries = store.folder(backup_id), manifest.collections
    return {name: sorted(collection_reader.frames(folder=folder, entry=entries[name])) for name in BOOKED}
