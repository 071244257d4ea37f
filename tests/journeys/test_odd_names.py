"""A temple whose collections bear every odd name: a whole run, a look inside, a comparison, a restore, a rehearsal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.mongo.collections import collection_of
from backups_app.records import Status
from tests.journeys.conftest import Db, run_backup
from tests.journeys.test_restore import command
from tests.security.conftest import Caller, SignIn, sign_in  # noqa: F401  (a fixture)

NAMES = (
    "con.", "a..b", "a...b..", "backup_metadata.", "a,b", "a", "b", " ", "a/b", "/", "a/../b", "%2F", "line\nbreak",
    "~x", "--all", "x.bson", "हिन्दी",
)  # fmt: skip
pytestmark = pytest.mark.django_db


@pytest.fixture
def odd(seeded: Configuration, local_db: Db, remote_db: Db) -> Configuration:
    """The temple, and three documents in each oddly named collection: one here, one at Atlas, one on both sides."""
    for number, name in enumerate(NAMES):
        for side, who in ((local_db, "here"), (remote_db, "there")):
            side.command({"insert": name, "documents": [{"_id": who, "n": number}, {"_id": "both", "n": number}]})
    return seeded


@pytest.fixture
def alone(odd: Configuration) -> Iterator[Configuration]:
    """The same without Atlas: quicker, where sync is beside the point."""
    with override_settings(TEMPLEOPS=replace(odd, cloud_url=Secret(""))):
        yield odd


def documents(database: Db) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(sorted(one["_id"] for one in collection_of(database, name).find())) for name in NAMES}


def test_a_run_saves_and_syncs_every_one(odd: Configuration, local_db: Db, remote_db: Db) -> None:
    run = run_backup(delete_bookings=True)

    assert (run["status"], run["warnings"]) == (Status.SUCCESS, [])
    assert documents(local_db) == documents(remote_db) == dict.fromkeys(NAMES, ("both", "here", "there"))
    assert set(NAMES) <= set(run["collections_backed_up"])


def test_each_is_looked_into_by_api_and_command(
    alone: Configuration,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    backup_id = run_backup(delete_bookings=False)["_id"]
    caller: Caller = sign_in(super_admin)

    for number, name in enumerate(NAMES):
        path = f"/api/backups/{backup_id}/collections/{quote(name, safe='')}"
        answer: Any = caller.get(path)
        assert (answer.status_code, answer.json()["collection_name"]) == (200, name), answer.content
        assert {document["n"] for document in answer.json()["documents"]} == {number}
        out = StringIO()
        call_command("backup_docs", "--json", "--", backup_id, name, stdout=out)
        assert len(json.loads(out.getvalue())["documents"]) == 2, name


def test_each_is_put_back_and_compared(alone: Configuration, local_db: Db) -> None:
    first = run_backup(delete_bookings=False)["_id"]
    for name in NAMES:
        collection_of(local_db, name).delete_one({"_id": "both"})
        collection_of(local_db, name).update_one({"_id": "here"}, {"$set": {"edited": True}})
    second = run_backup(delete_bookings=False)["_id"]

    compared = command("backup_diff", first, second)[1]["collections"]
    code, run = command("backup_restore", first, "--mode", "overwrite", "--confirm", "RESTORE")
    copied, copy = command("backup_restore", first, "--to", f"{local_db.name}_copy")
    rehearsed, rehearsal = command("backup_rehearse", first)

    changed = {one["collection_name"]: (one["only_a"], one["changed"], one["same"]) for one in compared}
    assert {name: changed[name] for name in NAMES} == dict.fromkeys(NAMES, (1, 1, 0))
    assert (code, run["status"], copied, copy["status"]) == (0, "success", 0, "success")
    assert (rehearsed, rehearsal["status"]) == (0, "success")
    assert documents(local_db) == dict.fromkeys(NAMES, ("both", "here"))
    done = {one["name"]: (one["inserted"], one["replaced"], one["proven"]) for one in run["restore"]["collections"]}
    assert {name: done[name] for name in NAMES} == dict.fromkeys(NAMES, (1, 1, 2))
    command("backup_restore", "--remove-copy", f"{local_db.name}_copy")


def test_collections_are_named_with_commas_between_them_or_one_by_one(alone: Configuration) -> None:
    backup_id = run_backup(delete_bookings=False)["_id"]
    cases: list[tuple[list[str], set[str]]] = [
        (["--collections", "a,devotees"], {"a", "devotees"}),
        (["--collections", "con.", "--collections", "a/b,devotees"], {"con.", "a/b", "devotees"}),
        (["--collections", "a,b", "--collections", "con."], {"a,b", "con."}),
        (["--collections", "a,b", "--collections", "a,b"], {"a,b"}),
        (["--collections", "a", "--collections", "b"], {"a", "b"}),
        (["--collections=--all"], {"--all"}),
        (["--collections", " "], {" "}),
    ]

    for arguments, meant in cases:
        code, preview = command("backup_restore", backup_id, "--dry-run", *arguments)
        assert (code, {one["name"] for one in preview["collections"]}) == (0, meant), arguments
    code, answer = command("backup_restore", backup_id, "--dry-run", "--collections", "a,b")

    assert (code, answer["code"]) == (2, "validation_error")
    assert "repeat the option" in answer["detail"]
