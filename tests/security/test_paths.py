"""Whatever stands in a path parameter of the API: 404 or 422, and no file outside the backup root is opened."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings

from backups_app.access.requests.visit import Visit
from backups_app.access.signing_in import sessions
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration, Secret
from backups_app.models import LoginSession, User
from backups_app.mongo.embedded import EmbeddedServer
from tests.security.conftest import Caller, SignIn
from tests.security.path_vectors import REAL, generated, known
from tests.security.watch import opened, outside

pytestmark = pytest.mark.django_db
LONG = os.environ.get("TEMPLEOPS_LONG") == "1"
BAIT = "the bait outside the backup root"
GENERATED = 10_000 if LONG else 500


@pytest.fixture
def root(a_folder: Path) -> Path:
    """A store with one real (foreign) backup, and links that lead out of it; the bait lies beside the store."""
    (a_folder.parent / "bait.txt").write_text(BAIT)
    store = Store(a_folder)
    store.prepare()
    partial = store.make_partial(REAL)
    database = partial / "temple_db"
    database.mkdir(mode=0o700)
    (database / "bookings.bson").write_bytes(b"\x05\x00\x00\x00\x00")
    (database / "aliased.bson").symlink_to(a_folder.parent / "bait.txt")
    store.publish(REAL)
    (a_folder / "backup_20250120_000000").symlink_to(a_folder.parent)
    (a_folder / "linked").symlink_to(a_folder.parent)
    return a_folder


@pytest.fixture
def settings_of_root(root: Path, local_server: EmbeddedServer) -> Configuration:
    """With a server: without one nobody could say of a well-formed id that there is no such run."""
    return Configuration(backup_dir=root, database_name="temple_db", local_url=Secret(local_server.uri))


@pytest.fixture
def caller(super_admin: User, sign_in: SignIn, authenticated_once: None) -> Caller:
    """A Super Admin."""
    return sign_in(super_admin)


@pytest.fixture
def authenticated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is read and authenticated by its first request, and no refusal is written to the log: at every one
    that took more than half of the time of these thousands."""
    authenticate, known = sessions.authenticate, {}
    load, cookies = SessionStore.load, dict[str | None, dict[str, Any]]()

    def verified(*, sid: str, visit: Visit, now: datetime) -> LoginSession:
        if sid not in known:
            known[sid] = authenticate(sid=sid, visit=visit, now=now)
        return known[sid]

    def loaded(store: SessionStore) -> dict[str, Any]:
        if store.session_key not in cookies:
            cookies[store.session_key] = load(store)
        return dict(cookies[store.session_key])

    monkeypatch.setattr(sessions, "authenticate", verified)
    monkeypatch.setattr(SessionStore, "load", loaded)
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)


def plain(vector: str) -> str:
    return quote(vector, safe="", errors="surrogatepass")


def encoded(vector: str) -> str:
    return "~" + base64.urlsafe_b64encode(vector.encode("utf-8", "surrogatepass")).decode().rstrip("=")


PLACES: dict[str, Callable[[str], str]] = {
    "id of a run": lambda vector: f"/api/backups/{plain(vector)}",
    "id before collections": lambda vector: f"/api/backups/{plain(vector)}/collections",
    "id before documents": lambda vector: f"/api/backups/{plain(vector)}/collections/bookings",
    "collection": lambda vector: f"/api/backups/{REAL}/collections/{plain(vector)}",
    "collection, encoded": lambda vector: f"/api/backups/{REAL}/collections/{encoded(vector)}",
}


def allowed(root: Path) -> tuple[str, ...]:
    """The store, and Django's own database (its journal beside it)."""
    return str(root), str(Path(str(settings.DATABASES["default"]["NAME"])).parent)


def refused(caller: Caller, path: str) -> tuple[int, bytes]:
    answer = caller.get(path)
    return answer.status_code, answer.content


def test_there_are_enough_vectors() -> None:
    assert len(known()) >= 300


@pytest.mark.parametrize("place", PLACES)
def test_nothing_gets_out(caller: Caller, settings_of_root: Configuration, root: Path, place: str) -> None:
    there = {REAL, "bookings", "aliased"}  # what the generator may hit upon, and what really is there
    vectors = [one for one in (*known(), *generated(GENERATED, seed=len(place))) if one not in there]
    with override_settings(TEMPLEOPS=settings_of_root):
        assert caller.get(f"/api/backups/{REAL}/collections/bookings").status_code == 200
        for warm in ("warm up", "20990101_000000"):
            refused(caller, PLACES[place](warm))
        wrong: list[Any] = []
        for vector in vectors:
            with opened() as names:
                status, content = refused(caller, PLACES[place](vector))
            escaped = outside(names, allowed=allowed(root))
            if status not in (404, 422) or escaped or BAIT.encode() in content:
                wrong.append((vector, status, escaped))

    assert wrong == []


@pytest.mark.parametrize("field", ["collections", "id", "to"])
def test_nothing_gets_out_by_the_body_of_a_restore(caller: Caller, root: Path, field: str) -> None:
    wrong: list[Any] = []
    with override_settings(TEMPLEOPS=Configuration(backup_dir=root, database_name="temple_db")):
        for vector in ("warm up", *known()):
            body = {"collections": ["bookings"], field: [vector] if field == "collections" else vector}
            with opened() as names:
                answer = caller.send("POST", f"/api/backups/{REAL}/restore", body)
            escaped = outside(names, allowed=allowed(root)) if vector != "warm up" else []
            unnamed = b"internal_error" in answer.content  # this backup has no manifest: a named 500 may be
            if unnamed or escaped or BAIT.encode() in answer.content:
                wrong.append((vector, answer.status_code, escaped))

    assert wrong == []


def test_the_watch_would_have_seen_it(root: Path) -> None:
    with opened() as names:
        (root.parent / "bait.txt").read_text()
        os.close(os.open(f"{root}/../bait.txt", os.O_RDONLY))

    assert len(outside(names, allowed=(str(root),))) == 2


@pytest.mark.parametrize("backup_id", ["20250120_000000", "linked"])
def test_a_linked_folder_is_no_backup(caller: Caller, root: Path, backup_id: str) -> None:
    with override_settings(TEMPLEOPS=Configuration(backup_dir=root)):
        status, _ = refused(caller, f"/api/backups/{backup_id}/collections")
        listed: Any = caller.get("/api/backups").json()  # type: ignore[attr-defined]

    assert status in (404, 422)
    assert [entry["backup_id"] for entry in listed] == [REAL]


def test_a_linked_file_is_not_read(caller: Caller, root: Path) -> None:
    with override_settings(TEMPLEOPS=Configuration(backup_dir=root, database_name="temple_db")):
        answer: Any = caller.get(f"/api/backups/{REAL}/collections/aliased")

    assert answer.status_code == 409 and answer.json()["code"] == "file_not_readable"
    assert BAIT not in answer.content.decode()
