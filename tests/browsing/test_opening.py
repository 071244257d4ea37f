"""A backup that is opened again and again is parsed once, and again as soon as its `metadata.json` was written to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bson
import pytest

from backups_app.backup_files import layout, metadata
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import opening
from tests.browsing.conftest import Maker

ID = "20260119_090022"


@pytest.fixture
def folder(a_backup: Maker) -> Path:
    return a_backup(ID, {"bookings": [bson.encode({"_id": 1})]})


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose `metadata.json` was read, in order."""
    read, folders = metadata.read, list[Path]()

    def noted(folder: Path) -> dict[str, Any] | None:
        folders.append(folder)
        return read(folder)

    monkeypatch.setattr(metadata, "read", noted)
    return folders


def who_made(store: Store) -> str:
    return str(opening.open_backup(store=store, backup_id=ID).document["created_by"])


def test_a_file_that_nobody_touched_is_parsed_once(
    store: Store, folder: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_UNTOUCHED_NANOSECONDS", 0)

    opened = [who_made(store) for _ in range(3)]

    assert opened == ["ananya"] * 3 and parsed == [folder]


def test_a_file_that_was_replaced_is_parsed_again(
    store: Store, folder: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_UNTOUCHED_NANOSECONDS", 0)
    before = who_made(store)
    metadata.amend(folder, {"created_by": "lakshm"})
    after = who_made(store)

    assert (before, after) == ("ananya", "lakshm")
    assert parsed.count(folder) == 3, "once before, once by the change, once after it"


def test_a_file_that_was_just_written_is_parsed_each_time(
    store: Store, folder: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written to twice within a tick of the file system's clock, it would have one stamp for both."""
    monkeypatch.setattr(opening, "_UNTOUCHED_NANOSECONDS", 3600 * 1_000_000_000)
    for name in ("meena", "kavya"):
        path = folder / layout.METADATA
        path.write_text(path.read_text().replace("ananya", name).replace("meena", name))
        assert who_made(store) == name

    assert parsed == [folder] * 2
