"""Only a database that bears our mark is ever dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.errors import CopyNotAllowed, InvalidInput, NotATestCopy, RestoreTargetTaken
from backups_app.mongo import scratch
from tests import odd_names

AT = datetime(2025, 1, 19, 9, 0, tzinfo=UTC)


def make(database: Database[Any], name: str) -> Database[Any]:
    return scratch.make(
        database.client,
        name=name,
        temple=database.name,
        backup_id="20250119_143022",
        purpose="test copy",
        created_by="ananya",
        now=AT,
    )


@pytest.fixture
def name(local_db: Database[Any]) -> Iterator[str]:
    """A free name for a copy; dropped afterwards."""
    wanted = f"{local_db.name}_copy"
    yield wanted
    local_db.client.drop_database(wanted)


def test_a_copy_is_made_listed_and_removed(local_db: Database[Any], name: str) -> None:
    made = make(local_db, name)
    made["bookings"].insert_one({"_id": 1})
    again = make(local_db, name)

    (listed,) = [copy for copy in scratch.listing(local_db.client, temple=local_db.name) if copy.database == name]
    scratch.remove(local_db.client, name=name, temple=local_db.name)

    assert again.name == name
    assert (listed.backup_id, listed.purpose, listed.created_by, listed.created_at) == (
        "20250119_143022", "test copy", "ananya", AT,
    )  # fmt: skip
    assert name not in local_db.client.list_database_names()


def test_a_database_with_collections_and_without_the_mark_is_left_alone(local_db: Database[Any], name: str) -> None:
    local_db.client[name]["bookings"].insert_one({"_id": 1})

    with pytest.raises(RestoreTargetTaken):
        make(local_db, name)
    with pytest.raises(NotATestCopy):
        scratch.remove(local_db.client, name=name, temple=local_db.name)

    assert local_db.client[name]["bookings"].count_documents({}) == 1


def test_a_marker_of_another_make_is_no_mark(local_db: Database[Any], name: str) -> None:
    local_db.client[name][scratch.MARKER].insert_one({"_id": "templeops", "kind": "something else"})

    with pytest.raises(NotATestCopy):
        scratch.remove(local_db.client, name=name, temple=local_db.name)


@pytest.mark.parametrize("wrong", ["admin", "LOCAL", "config", "", "a.b", "a b", "a/b", "a$b", "x" * 64, "a\0b", "a\n"])
def test_names_that_are_not_for_copies_are_refused(local_db: Database[Any], wrong: str) -> None:
    for act in (make, lambda database, name: scratch.remove(database.client, name=name, temple=database.name)):
        with pytest.raises(InvalidInput):
            act(local_db, wrong)


@pytest.mark.parametrize("temple", odd_names.DATABASES, ids=ascii)
@pytest.mark.parametrize("ending", ["_rehearsal", "_restore_20250119_143022_01"])
def test_the_name_beside_any_temple_is_one_of_a_copy(local_db: Database[Any], temple: str, ending: str) -> None:
    name = scratch.name_beside(temple, ending=ending)

    made = scratch.make(
        local_db.client, name=name, temple=temple, backup_id="x", purpose="test copy", created_by="x", now=AT
    )
    scratch.remove(local_db.client, name=name, temple=temple)

    assert made.name.startswith(temple[:14])
    assert made.name.endswith(ending)


def test_two_temples_with_one_beginning_have_copies_of_their_own() -> None:
    names = {scratch.name_beside("t" * 60 + end, ending="_rehearsal") for end in "abc"}

    assert len(names) == 3
    assert scratch.name_beside("temple_db", ending="_rehearsal") == "temple_db_rehearsal"


def test_a_name_that_another_database_bears_in_other_letters_is_taken(local_db: Database[Any], name: str) -> None:
    local_db.client[name.upper()]["bookings"].insert_one({"_id": 1})

    with pytest.raises(RestoreTargetTaken):
        make(local_db, name)

    local_db.client.drop_database(name.upper())


def test_the_temples_own_database_is_refused_in_any_case_of_letters(local_db: Database[Any]) -> None:
    local_db[scratch.MARKER].insert_one({"_id": "templeops", "kind": scratch._KIND})  # even if it bore the mark

    for wrong in (local_db.name, local_db.name.upper()):
        with pytest.raises(InvalidInput):
            scratch.remove(local_db.client, name=wrong, temple=local_db.name)


def test_a_scratch_database_goes_however_its_rehearsal_ends(local_db: Database[Any], name: str) -> None:
    wanted: dict[str, Any] = {"name": name, "temple": local_db.name, "backup_id": "x", "created_by": "x", "now": AT}

    with pytest.raises(RuntimeError), scratch.lent(local_db.client, **wanted) as database:
        database["c"].insert_one({"_id": 1})
        raise RuntimeError

    assert name not in local_db.client.list_database_names()


def test_a_user_without_the_right_gets_the_line_for_the_administrator() -> None:
    error = CopyNotAllowed(database="temple_copy")

    assert error.detail.endswith(
        'db.getSiblingDB("admin").grantRolesToUser("<user>", [{role: "readWrite", db: "temple_copy"}, '
        '{role: "dbAdmin", db: "temple_copy"}])'
    )
