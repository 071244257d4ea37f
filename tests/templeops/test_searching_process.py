"""Searches in processes beside the one that serves."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path

import pytest

from backups_app import priorities
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import open_backup
from backups_app.browsing.search import search
from backups_app.browsing.search.query import parse
from backups_app.browsing.search.search import SearchPage
from backups_app.errors import BackupRemoved
from templeops import searching_process
from templeops.searching_process import Searchers
from tests.browsing.conftest import Maker, bookings

ID = "20250119_143022"


@pytest.fixture
def searchers() -> Iterator[Searchers]:
    made = Searchers()
    search.carry_out_by(made.page_of)
    yield made
    search.carry_out_by(None)
    made.end()


@pytest.fixture
def store(a_folder: Path) -> Store:
    made = Store(a_folder)
    made.prepare()
    return made


@pytest.fixture
def source(store: Store) -> CollectionFile:
    Maker(store)(ID, {"bookings": bookings(3_000)})
    return open_collection(backup=open_backup(store=store, backup_id=ID), collection="bookings")


def _there(searchers: Searchers, source: CollectionFile, typed: str) -> SearchPage | None:
    return searchers.page_of(source, query=parse(typed), start=0, limit=25, seconds=30)


def _process_id(searchers: Searchers) -> int:
    (process,) = searchers._free
    return process.process_id


@pytest.mark.parametrize("typed", ["Devotee 0002998", '"0002998"', "_id:2998", "nobody", "name:devotee"])
def test_it_finds_what_is_found_here(searchers: Searchers, source: CollectionFile, typed: str) -> None:
    there = _there(searchers, source, typed)
    here = search.search_here(source, query=parse(typed), start=0, limit=25, seconds=30)

    assert there is not None
    assert (there.hits, there.searched, there.next) == (here.hits, here.searched, here.next)


def test_one_process_stands_back_and_does_one_search_after_the_other(
    searchers: Searchers, source: CollectionFile
) -> None:
    _there(searchers, source, "nobody")
    first = _process_id(searchers)
    _there(searchers, source, "nobody")

    assert _process_id(searchers) == first != os.getpid()
    assert os.getpriority(os.PRIO_PROCESS, first) >= priorities.READING


def test_another_process_takes_the_place_of_one_that_died(searchers: Searchers, source: CollectionFile) -> None:
    _there(searchers, source, "nobody")
    first = _process_id(searchers)
    os.kill(first, signal.SIGKILL)

    found = search.find(source, query=parse("Devotee 0002998"), seconds=30)

    assert [hit.number for hit in found.hits] == [2_998]
    assert _process_id(searchers) != first


def test_a_file_that_cannot_be_read_is_named(searchers: Searchers, source: CollectionFile, store: Store) -> None:
    shutil.rmtree(store.root / f"backup_{ID}")

    assert _there(searchers, source, "nobody") is None
    with pytest.raises(BackupRemoved):
        search.find(source, query=parse("nobody"), seconds=30)


@pytest.mark.parametrize("is_there", [True, False])
def test_where_no_process_can_be_started_who_asks_searches(
    searchers: Searchers, source: CollectionFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_there: bool
) -> None:
    program = tmp_path / "ends at once"
    if is_there:
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    assert _there(searchers, source, "nobody") is None
    assert search.find(source, query=parse("nobody"), seconds=30).finished


def test_a_process_ends_when_nobody_asks(source: CollectionFile) -> None:
    ours, theirs = Pipe()
    with ours, theirs:
        searching_process.serve(theirs, idle_seconds=0)
        assert not ours.poll(0)


def test_a_process_ends_with_the_one_that_started_it() -> None:
    process = searching_process.SearchingProcess()
    process._line.close()

    assert process._process.wait(timeout=60) == 0
