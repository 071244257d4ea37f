"""The named failures: each is found by its stable code, through the one door."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from backups_app import errors
from backups_app.errors import DatabaseNotFound, DatabaseSpelledOtherwise, RunActive, TempleOpsError, by_code


def test_a_failure_is_found_by_its_code() -> None:
    found = by_code()

    assert found["run_active"] is RunActive
    assert found["internal_error"] is TempleOpsError


def test_kinds_of_one_failure_share_its_code_and_the_general_one_is_named() -> None:
    assert DatabaseSpelledOtherwise.code == DatabaseNotFound.code
    assert by_code()[DatabaseNotFound.code] is DatabaseNotFound


@pytest.fixture
def _forgotten() -> Iterator[None]:
    yield
    errors._by_code.cache_clear()
    gc.collect()


@pytest.mark.usefixtures("_forgotten")
def test_a_failure_that_is_declared_later_is_found_too() -> None:
    assert "test_declared_later" not in by_code()

    class DeclaredLater(TempleOpsError):
        code = "test_declared_later"
        sentence = "This failure is declared by a test."

    assert by_code()["test_declared_later"] is DeclaredLater


def test_every_named_failure_is_imported_from_one_place() -> None:
    named = [kind for kind in by_code().values() if kind.__module__.startswith("backups_app.errors.")]

    assert len(named) > 60
    assert [kind.__name__ for kind in named if getattr(errors, kind.__name__, None) is not kind] == []
