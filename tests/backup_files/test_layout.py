"""Names on the disk are mongodump's names, and ids are exactly ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups_app.backup_files import layout
from backups_app.errors import InvalidBackupId

VECTORS = json.loads((Path(__file__).parent / "dump_name_vectors.json").read_text("utf-8"))
FIXTURE = Path(__file__).parents[1] / "fixtures" / "mongodump_plain" / "golden"
ODD_NAMES = [
    "a b", "a/b", "a\\b", "100%", "%2e%2e", "a%00b", "x\ny", "tab\there", "<script>", "-rf", "CON", "\u202eabc",
    "q'*!()~-_.", "événements", "ünïcode हिन्दी", "日本", "😀", "a+b", "p&q=r", "#hash", "a:b|c?d", "trailing.", "UPPER",
    "a.b.c", "...", "x" * 238, "x" * 239, "é" * 100, "+" * 80, "system.js", "🙏" * 30,
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_a_collections_file_has_the_name_that_mongodump_gives_it(vector: dict[str, str]) -> None:
    base = layout.file_base(vector["collection"])

    assert base == vector["file_base"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_read_back_from_the_file_and_its_metadata(name: str) -> None:
    base = layout.file_base(name)

    assert layout.collection_name(base=base, stated=name) == name
    assert len(base.encode()) <= 238
    assert "/" not in base and "\0" not in base
    if len(base) < 238:
        assert layout.collection_name(base=base, stated=None) == name


def test_every_file_of_a_real_dump_has_the_name_we_would_give_it() -> None:
    metadata = sorted(FIXTURE.glob("*.metadata.json"))

    names = [json.loads(path.read_text("utf-8"))["collectionName"] for path in metadata]

    assert len(names) > 20
    assert [layout.file_base(name) + ".metadata.json" for name in names] == [path.name for path in metadata]


def test_metadata_that_names_another_collection_does_not_rename_the_file() -> None:
    assert layout.collection_name(base="bookings", stated="users") == "bookings"


@given(st.text(min_size=1, max_size=120).filter(lambda name: "\0" not in name and not _has_surrogate(name)))
def test_two_names_never_share_a_file(name: str) -> None:
    other = name + "x"

    assert layout.file_base(name) != layout.file_base(other)
    assert layout.collection_name(base=layout.file_base(name), stated=name) == name


def _has_surrogate(name: str) -> bool:
    return any(0xD800 <= ord(character) <= 0xDFFF for character in name)


@pytest.mark.parametrize("good", ["20250119_143022", "20250119_143022_01", "00000000_000000"])
def test_an_id_is_taken_as_it_is(good: str) -> None:
    assert layout.check_id(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "", "20250119", "20250119_14302", "20250119_1430222", "20250119_143022_1", "20250119_143022_001",
        "20250119_143022\n", "\n20250119_143022", " 20250119_143022", "20250119_143022 ", "../20250119_143022",
        "20250119_143022/..", "backup_20250119_143022", "20250119-143022", "2025０119_143022", "٢٠٢٥٠١١٩_143022",
        "20250119_143022\0", "20250119_143022%00", "%2e%2e", ".", "..", "/", "a" * 5000, "20250119_143022_0a",
    ],
)  # fmt: skip
def test_anything_else_is_no_id(bad: str) -> None:
    with pytest.raises(InvalidBackupId):
        layout.check_id(bad)


def test_an_id_is_the_second_in_utc() -> None:
    now = datetime(2026, 1, 1, 2, 30, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert layout.new_backup_id(now=now, taken=set()) == "20251231_210005"


def test_fifty_runs_in_one_second_get_fifty_ids() -> None:
    now = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    taken: set[str] = set()

    for _ in range(50):
        taken.add(layout.new_backup_id(now=now, taken=taken))

    assert len(taken) == 50
    assert "20261025_013000_49" in taken
    assert all(layout.check_id(each) for each in taken)


def test_the_hundred_and_first_run_of_a_second_is_refused() -> None:
    now = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    taken = {"20261025_013000", *(f"20261025_013000_{number:02d}" for number in range(1, 100))}

    with pytest.raises(InvalidBackupId):
        layout.new_backup_id(now=now, taken=taken)
