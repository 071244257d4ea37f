"""backup_docs and backup_diff: what they print, and how they refuse."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from io import StringIO

import bson
import pytest
from bson import ObjectId
from django.core.management import call_command
from django.test import override_settings

from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from tests.browsing import large
from tests.browsing.conftest import Maker, bookings

pytestmark = pytest.mark.django_db  # a command asks first whether the Django database opens

OLD, NEW = "20250112_090000", "20250119_143022"
OID = ObjectId("507f1f77bcf86cd799439011")


@pytest.fixture
def configuration(store: Store, a_backup: Maker) -> Iterator[Configuration]:
    """Two backups, and no MongoDB at all: reading does not need it."""
    every = [bson.encode({"_id": OID, "name": "John Doe", "ritual": "Puja"}), *bookings(60)]
    a_backup(OLD, {"bookings": every, "empty": []})
    a_backup(NEW, {"bookings": [every[0].replace(b"Puja", b"Yaga"), *every[2:], *bookings(2, first=900)], "empty": []})
    settings = Configuration(backup_dir=store.root)
    with override_settings(TEMPLEOPS=settings):
        yield settings


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("configuration")
def test_without_a_collection_the_collections_are_listed() -> None:
    code, out, _ = run("backup_docs", "latest")

    assert code == 0
    assert "bookings" in out
    assert "empty" in out


@pytest.mark.usefixtures("configuration")
def test_json_is_one_value_with_the_specifications_fields() -> None:
    code, out, _ = run("backup_docs", NEW, "bookings", "--json", "--limit", "2", "--page", "2")

    answer = json.loads(out)
    assert (code, answer["collection_name"], answer["total_documents"], answer["offset"]) == (0, "bookings", 62, 2)
    assert [document["_id"] for document in answer["documents"]] == [2, 3]


@pytest.mark.usefixtures("configuration")
def test_collections_as_json_bear_the_specifications_names() -> None:
    _, out, _ = run("backup_docs", NEW, "--json")

    first = json.loads(out)[0]
    assert (first["collection_name"], first["document_count"], first["verified"]) == ("bookings", 62, True)
    assert first["file_size"].endswith("KB")


@pytest.mark.usefixtures("configuration")
def test_a_search_and_an_id_find_the_document_and_a_tree_shows_its_types() -> None:
    for arguments in (["--search", "doe"], ["--id", str(OID)]):
        code, out, _ = run("backup_docs", NEW, "bookings", *arguments)

        assert code == 0
        assert "  _id: 507f1f77bcf86cd799439011  ObjectId" in out
        assert '  name: "John Doe"  String' in out


@pytest.mark.usefixtures("configuration")
def test_a_search_counts_exactly_only_when_it_is_finished() -> None:
    _, cut, _ = run("backup_docs", NEW, "bookings", "--json", "--search", "devotee", "--limit", "10")
    _, whole, _ = run("backup_docs", NEW, "bookings", "--json", "--search", "devotee", "--limit", "100")

    assert [(json.loads(out)["matched"], json.loads(out)["truncated"]) for out in (cut, whole)] == [
        (10, True),
        (61, False),
    ]


@pytest.mark.usefixtures("configuration")
def test_ndjson_is_one_document_a_line() -> None:
    _, out, _ = run("backup_docs", NEW, "bookings", "--format", "ndjson", "--limit", "5")

    assert [json.loads(line)["_id"] for line in out.splitlines()][1:] == [1, 2, 3, 4]


@pytest.mark.usefixtures("configuration")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["20250101_000000", "bookings"], 10, "backup_not_found"),
        (["../x", "bookings"], 2, "invalid_backup_id"),
        ([NEW, "nothing"], 10, "collection_not_found"),
        ([NEW, "bookings", "--id", "zzz"], 10, "document_not_found"),
        ([NEW, "bookings", "--search", ""], 2, "validation_error"),
        ([NEW, "bookings", "--limit", "0"], 2, "validation_error"),
        ([NEW, "bookings", "--page", "0"], 2, "validation_error"),
    ],
)
def test_a_refusal_has_its_exit_code_and_one_json_value(arguments: list[str], exit_code: int, code: str) -> None:
    ended, out, _ = run("backup_docs", *arguments, "--json")

    answer = json.loads(out)
    assert (ended, answer["code"]) == (exit_code, code)
    assert set(answer) == {"detail", "code", "hint"}


def test_in_cloud_mode_nothing_is_shown(configuration: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(configuration, primary_database="cloud")):
        assert [run(*arguments)[0] for arguments in (("backup_docs", NEW), ("backup_diff", OLD, NEW))] == [4, 4]


def test_a_hostile_document_cannot_steer_the_terminal(store: Store, a_backup: Maker) -> None:
    evil = "\x1b[2J\x9b31m\u202e\r\nname: forged"
    a_backup(NEW, {"c": [bson.encode({evil.replace("\n", ""): evil})]})
    with override_settings(TEMPLEOPS=Configuration(backup_dir=store.root)):
        _, out, _ = run("backup_docs", NEW, "c")

    assert all(character.isprintable() for line in out.split("\n") for character in line)
    assert len(out.strip().split("\n")) == 2


def test_a_damaged_document_is_named_and_ends_with_1(store: Store, a_backup: Maker) -> None:
    broken = bytearray(bson.encode({"_id": 2, "v": "x"}))
    broken[4] = 0x44
    a_backup(NEW, {"c": [bson.encode({"_id": 1}), bytes(broken), bson.encode({"_id": 3})]})
    with override_settings(TEMPLEOPS=Configuration(backup_dir=store.root)):
        code, out, _ = run("backup_docs", NEW, "c", "--json")

    answer = json.loads(out)
    assert code == 1
    assert [document["_id"] for document in answer["documents"]] == [1, 3]
    assert answer["damaged"] == [{"number": 2, "problem": "a value has a type that BSON does not know"}]


@pytest.mark.usefixtures("configuration")
def test_a_comparison_counts_lists_and_shows_one_document() -> None:
    _, counted, _ = run("backup_diff", OLD, NEW, "--json")
    _, listed, _ = run("backup_diff", OLD, NEW, "--collection", "bookings", "--json")
    _, single, _ = run("backup_diff", OLD, NEW, "--collection", "bookings", "--id", str(OID), "--json")
    _, people, _ = run("backup_diff", OLD, NEW, "--collection", "bookings")

    assert json.loads(counted)["collections"][0] == {
        "collection_name": "bookings", "documents_a": 61, "documents_b": 62,
        "only_a": 1, "only_b": 2, "changed": 1, "same": 59,
    }  # fmt: skip
    assert [entry["id"] for entry in json.loads(listed)["documents"]["changed"]] == [str(OID)]
    assert json.loads(single)["changes"] == [
        {
            "sign": "~",
            "field": "ritual",
            "before": {"type": "String", "text": "Puja"},
            "after": {"type": "String", "text": "Yaga"},
        }
    ]
    assert '    ~ ritual: "Puja"  String -> "Yaga"  String' in people


@pytest.mark.parametrize("form", ["tree", "json", "ndjson"])
def test_a_page_that_ends_early_says_so_and_where_to_go_on(store: Store, a_backup: Maker, form: str) -> None:
    a_backup(NEW, {"c": [large.large_binary(number) for number in range(5)]})
    with override_settings(TEMPLEOPS=Configuration(backup_dir=store.root)):
        _, out, reported = run("backup_docs", NEW, "c", "--format", form)
        _, rest, at_the_end = run("backup_docs", NEW, "c", "--format", form, "--from", "5")
        _, json_out, _ = run("backup_docs", NEW, "c", "--json", "--from", "2")

    message = re.search(r"The documents are large: only (\d) are shown. Go on with --from (\d).", reported)
    assert message is not None and int(message[2]) == int(message[1]) + 1
    assert f"binary {int(message[1]) - 1}" in out and f"binary {message[1]}" not in out
    assert "binary 4" in rest and "large" not in at_the_end
    answer = json.loads(json_out)
    assert (answer["offset"], answer["truncated"]) == (1, True)
    assert answer["next"] == 1 + len(answer["documents"])


@pytest.mark.usefixtures("configuration")
def test_where_to_begin_is_a_number_and_not_of_a_search() -> None:
    assert run("backup_docs", NEW, "bookings", "--from", "0")[0] == 2
    assert run("backup_docs", NEW, "bookings", "--from", "2", "--search", "Doe")[0] == 2
    _, whole, reported = run("backup_docs", NEW, "bookings", "--format", "ndjson")
    assert whole.count("\n") == 25 and "large" not in reported, "a page that ends at its limit is not cut"
