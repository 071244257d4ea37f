"""Django's own database cannot be opened: every command names it, and what can be looked at without it is shown."""

from __future__ import annotations

import io
import json
import os
import socket
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from backups_app.access import records
from backups_app.configuration import Configuration
from tests.fork_server import ForkServer

pytestmark = pytest.mark.django_db


def closed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    other = connection.copy("other")
    other.settings_dict["NAME"] = name
    monkeypatch.setattr(records, "connection", other)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
def test_of_sqlite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed(monkeypatch, "/nope/x.db")
    assert records.why_closed() == "there is no folder /nope"

    closed(monkeypatch, str(tmp_path / "new.sqlite3"))
    assert records.why_closed() is None and not list(tmp_path.iterdir())

    (tmp_path / "folder").mkdir()
    closed(monkeypatch, str(tmp_path / "folder"))
    assert records.why_closed() == "unable to open database file"


def test_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    postgresql = pytest.importorskip("django.db.backends.postgresql.base")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        where = {"NAME": "x", "USER": "x", "PASSWORD": "x", "HOST": "127.0.0.1", "PORT": nobody.getsockname()[1]}
        settings = {**connection.settings_dict, **where, "OPTIONS": {"connect_timeout": 2}}
        monkeypatch.setattr(records, "connection", postgresql.DatabaseWrapper(settings, "other"))

        assert "refused" in (records.why_closed() or "")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
def test_a_command_names_it_and_shows_what_is_there(configured: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    closed(monkeypatch, "/nope/x.db")
    out, err = io.StringIO(), io.StringIO()

    call_command("backup_list", "--json", stdout=out, stderr=err)

    assert json.loads(out.getvalue()) == []
    assert "The database of users and audit rows cannot be opened: check DATABASE_URL" in err.getvalue()


@pytest.mark.parametrize("command", [("backup_audit",), ("backup_schedule", "list")])
def test_a_command_that_reads_it_says_that_it_does_not_answer(
    tmp_path: Path, command: tuple[str, ...], fork_server: ForkServer
) -> None:
    """Nothing was to be deleted, and a migration would not help."""
    environment = {**os.environ, "DATABASE_URL": "sqlite:////nope/x.db", "BACKUP_DIR": str(tmp_path)}

    done = fork_server.run(*command, environment=environment)

    assert done.returncode != 0
    assert "does not answer" in done.stderr and "Start that database" in done.stderr
    assert "deleted" not in done.stderr and "migrate" not in done.stderr


def test_an_open_one_is_named_by_nobody(configured: Configuration) -> None:
    err = io.StringIO()
    call_command("backup_list", stdout=io.StringIO(), stderr=err)
    assert "DATABASE_URL" not in err.getvalue()
