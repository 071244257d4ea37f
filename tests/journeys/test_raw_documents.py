"""A document whose text is not UTF-8 exists: it is found, shown by its bytes, and restored alone, at every door."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from django.core.management import call_command
from django.test import Client

from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.mongo import raw_ids
from tests.journeys.conftest import RAW, Db, run_backup
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

NAME = b"Ramesh \xff\xe0 K\xc3"


def _frame(number: int, text: bytes) -> bytes:
    body = b"\x10_id\0" + struct.pack("<i", number) + b"\x02name\0" + struct.pack("<i", len(text) + 1) + text + b"\0"
    return struct.pack("<i", len(body) + 5) + body + b"\0"


FRAME = _frame(1, NAME)


@pytest.fixture
def backup_id(seeded: Configuration, local_db: Db) -> str:
    """A backup in which one guest's name is not UTF-8; then the guest is deleted."""
    local_db["guests"].insert_many([RawBSONDocument(FRAME), {"_id": 2, "name": "Sita"}])
    made = run_backup(delete_bookings=False)
    assert made["status"] == "success"
    local_db["guests"].delete_one({"_id": 1})
    return str(made["backup_id"])


def _run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_finds_it_and_shows_its_bytes(backup_id: str) -> None:
    code, text = _run("backup_docs", backup_id, "guests", "--id", "1")
    _, answer = _run("backup_docs", backup_id, "guests", "--id", "1", "--json")
    _, searched = _run("backup_docs", backup_id, "guests", "--search", "ramesh", "--json")

    assert code == 0
    assert "shown by its bytes: a name or a string is not UTF-8" in text and "000000  " in text and "--id" in text
    [raw] = json.loads(answer)["raw_documents"]
    assert (bytes.fromhex(raw["raw_hex"]), raw["restorable"], raw["id"]) == (FRAME, True, '{"$numberInt": "1"}')
    assert (json.loads(answer)["documents"], json.loads(answer)["damaged"]) == ([], [])
    assert json.loads(searched)["matched"] == 1 and json.loads(searched)["raw_documents"] == [raw]


def test_the_command_restores_it_alone_byte_for_byte(backup_id: str, local_db: Db) -> None:
    code, message = _run("backup_restore", backup_id, "--collections", "guests", "--id", "1", "--confirm", "RESTORE")

    assert code == 0, message
    assert FRAME in _raw(local_db)


def test_the_api_shows_its_bytes_and_restores_it(
    backup_id: str,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    caller = sign_in(super_admin)
    page: Any = caller.get(f"/api/backups/{backup_id}/collections/guests").json()  # type: ignore[attr-defined]

    wish = {"collections": ["guests"], "id": page["raw_documents"][0]["id"]}
    preview: Any = caller.send("POST", f"/api/backups/{backup_id}/restore", wish)

    assert [one["_id"] for one in page["documents"]] == [2]
    assert (page["total_documents"], page["damaged"], page["truncated"]) == (2, [], False)
    assert bytes.fromhex(page["raw_documents"][0]["raw_hex"]) == FRAME
    assert preview.status_code == 200 and preview.json()["totals"]["insert"] == 1


def test_the_page_shows_its_bytes_and_the_way_to_restore_it(backup_id: str, admin: User) -> None:
    browser: Client = signed_in(admin)
    place = f"/admin/backups/browse/?backup={backup_id}&collection=guests"

    listed = browser.get(place).content.decode()
    table = browser.get(place + "&view=table").content.decode()
    searched = browser.get(place + "&q=ramesh").content.decode()
    shown = browser.get(f"/admin/backups/{backup_id}/document/?collection=guests&number=0").content.decode()

    assert "Document 1 is whole, but cannot be shown as text" in listed
    assert "a name or a string is not UTF-8" in table
    assert "Document 1 is whole, but cannot be shown as text" in searched
    assert "000000  " in shown and "Restore this" in shown
    versions = browser.get(f"/admin/backups/versions/?backup={backup_id}&collection=guests&number=0")
    assert versions.status_code == 200


def test_an_id_that_is_not_utf8_names_its_document_by_its_bytes(seeded: Configuration, local_db: Db) -> None:
    text = b"B-\xff1"
    body = b"\x02_id\0" + struct.pack("<i", len(text) + 1) + text + b"\0"
    frame = struct.pack("<i", len(body) + 5) + body + b"\0"
    local_db["guests"].insert_one(RawBSONDocument(frame))
    backup_id = run_backup(delete_bookings=False)["backup_id"]
    local_db["guests"].delete_many({})

    _, answer = _run("backup_docs", backup_id, "guests", "--json")
    identity = json.loads(answer)["raw_documents"][0]["id"]
    code, message = _run(
        "backup_restore", backup_id, "--collections", "guests", "--id", identity, "--confirm", "RESTORE"
    )

    assert identity == "raw:" + raw_ids.id_of(frame).hex()
    assert code == 0, message
    assert _raw(local_db) == [frame]


def _raw(database: Db) -> list[bytes]:
    found: Any = database.get_collection("guests", codec_options=RAW).find()
    return [bytes(document.raw) for document in found]
