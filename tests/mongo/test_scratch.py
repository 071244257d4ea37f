"""Only a database that bears our mark is ever dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.errors import CopyNotAllowed, InvalidInput, NotATestCopy, RestoreTargetTaken, TargetOfAnotherTemple
from backups_app.mongo import scratch, scratch_names
from tests import odd_names

AT = datetime(2025, 1, 19, 9, 0, tzinfo=UTC)


def make(database: Database[Any], name: str, *, temple: str = "", purpose: str = scratch.TEST_COPY) -> Database[Any]:
    return scratch.make(
        database.client,
        name=name,
        temple=temple or database.name,
        backup_id="20250119_143022",
        purpose=purpose,
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

    (found,) = [copy for copy in scratch.listing(local_db.client, temple=local_db.name) if copy.database == name]
    scratch.remove(local_db.client, name=name, temple=local_db.name)

    assert again.name == name
    assert (found.backup_id, found.purpose, found.created_by, found.created_at) == (
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


def listed(database: Database[Any], *, temple: str = "") -> list[str]:
    return [copy.database for copy in scratch.listing(database.client, temple=temple or database.name)]


@pytest.mark.parametrize("purpose", [scratch.TEST_COPY, scratch.REHEARSAL])
def test_what_another_temple_made_is_neither_listed_nor_taken_nor_removed(
    local_db: Database[Any], name: str, purpose: str
) -> None:
    made = make(local_db, name, temple="durga", purpose=purpose)
    made["bookings"].insert_one({"_id": 1})

    with pytest.raises(TargetOfAnotherTemple):
        make(local_db, name, purpose=purpose)
    with pytest.raises(NotATestCopy):
        scratch.remove(local_db.client, name=name, temple=local_db.name)

    assert not scratch.is_copy(made, temple=local_db.name)
    assert name not in listed(local_db) and name in listed(local_db, temple="durga")
    assert made["bookings"].count_documents({}) == 1


@pytest.mark.parametrize("made_for", [scratch.TEST_COPY, scratch.REHEARSAL])
def test_a_copy_for_another_purpose_is_taken(local_db: Database[Any], name: str, made_for: str) -> None:
    (wanted,) = {scratch.TEST_COPY, scratch.REHEARSAL} - {made_for}
    make(local_db, name, purpose=made_for)

    with pytest.raises(RestoreTargetTaken):
        make(local_db, name, purpose=wanted)


@pytest.mark.parametrize(
    ("ending", "purpose", "temple", "is_ours"),
    [
        ("_copy", "test copy", "", True),
        ("_copy", "test copy", "durga", False),
        ("_south_rehearsal", "rehearsal", "", False),
        ("_rehearsal", "rehearsal", "", True),
        ("_rehearsal", "rehearsal", "durga", False),
    ],
)
def test_a_mark_from_before_marks_named_the_temple_is_known_by_the_name_of_its_database(
    local_db: Database[Any], ending: str, purpose: str, temple: str, is_ours: bool
) -> None:
    database = local_db.client[local_db.name + ending]
    mark = {"_id": "templeops", "kind": scratch._KIND, "backup_id": "x", "created_by": "x", "created_at": AT}
    database[scratch.MARKER].insert_one(mark | {"purpose": purpose})

    found = listed(local_db, temple=temple)
    local_db.client.drop_database(database)

    assert (database.name in found) is is_ours


@pytest.mark.parametrize("spelled", [str, str.upper])
def test_the_name_of_restore_tests_is_none_for_a_test_copy(spelled: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput, match="restore tests use it"):
        scratch_names.check_copy_name(spelled("temple_db_rehearsal"), temple="temple_db")

    assert scratch_names.check_copy_name("temple_db_rehearsal_2", temple="temple_db") == "temple_db_rehearsal_2"


@pytest.mark.parametrize("wrong", ["admin", "LOCAL", "config", "", "a.b", "a b", "a/b", "a$b", "x" * 64, "a\0b", "a\n"])
def test_names_that_are_not_for_copies_are_refused(local_db: Database[Any], wrong: str) -> None:
    for act in (make, lambda database, name: scratch.remove(database.client, name=name, temple=database.name)):
        with pytest.raises(InvalidInput):
            act(local_db, wrong)


@pytest.mark.parametrize("temple", odd_names.DATABASES, ids=ascii)
@pytest.mark.parametrize("ending", ["_rehearsal", "_restore_20250119_143022_01"])
def test_the_name_beside_any_temple_is_one_of_a_copy(local_db: Database[Any], temple: str, ending: str) -> None:
    name = scratch_names.name_beside(temple, ending=ending)

    made = scratch.make(
        local_db.client, name=name, temple=temple, backup_id="x", purpose="test copy", created_by="x", now=AT
    )
    scratch.remove(local_db.client, name=name, temple=temple)

    assert made.name.startswith(temple[:14])
    assert made.name.endswith(ending)


def test_two_temples_with_one_beginning_have_copies_of_their_own() -> None:
    names = {scratch_names.name_beside("t" * 60 + end, ending="_rehearsal") for end in "abc"}

    assert len(names) == 3
    assert scratch_names.name_beside("temple_db", ending="_rehearsal") == "temple_db_rehearsal"


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
