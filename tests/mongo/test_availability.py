"""A server found lost a moment ago: trusted where something is shown, asked again wherever something is decided."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymongo.errors import AutoReconnect, ExecutionTimeout, OperationFailure, PyMongoError

from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable
from backups_app.mongo import availability
from backups_app.records import Side

CONFIGURATION = Configuration(local_url=Secret("mongodb://here"), cloud_url=Secret("mongodb://there"))


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    availability.forget_failures()
    yield
    availability.forget_failures()


def ask(side: Side = Side.LOCAL, *, finding: PyMongoError | None = None, fresh: bool = False) -> bool:
    """Ask, and find this. Return whether the server was asked at all."""
    asked = False
    try:
        with availability.asking(side, configuration=CONFIGURATION, seconds=1, fresh=fresh):
            asked = True
            if finding is not None:
                raise finding
    except (DatabaseUnreachable, PyMongoError):
        pass
    return asked


def test_while_something_is_shown_a_lost_server_is_asked_once() -> None:
    with availability.cached_failures():
        assert ask(finding=AutoReconnect("gone"))
        assert not ask()
        assert ask(Side.REMOTE), "the other one was not found lost"


def test_what_is_looked_at_once_trusts_its_own_failures_alone() -> None:
    ask(finding=AutoReconnect("gone"))

    with availability.asked_once():
        assert ask(finding=AutoReconnect("gone"))
        assert not ask()
    assert ask(finding=AutoReconnect("gone"))


def test_what_a_page_knows_holds_where_it_looks_once() -> None:
    ask(finding=AutoReconnect("gone"))

    with availability.cached_failures(), availability.asked_once():
        assert not ask()


def test_outside_of_what_is_shown_every_question_is_asked() -> None:
    ask(finding=AutoReconnect("gone"))

    assert ask()


def test_a_fresh_question_is_asked_and_its_answer_is_kept() -> None:
    with availability.cached_failures():
        ask(finding=AutoReconnect("gone"))

        assert ask(fresh=True)
        assert ask()


def test_it_is_remembered_for_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(finding=AutoReconnect("gone"))
    monkeypatch.setattr(availability, "CACHED_SECONDS", 0.0)

    with availability.cached_failures():
        assert ask()


@pytest.mark.parametrize("finding", [ExecutionTimeout("slow", 50), OperationFailure("no such login", 18)])
def test_a_slow_answer_or_a_refused_login_is_no_silence(finding: PyMongoError) -> None:
    with availability.cached_failures():
        ask(finding=finding)

        assert ask()


def test_what_raises_is_named() -> None:
    with (
        pytest.raises(DatabaseUnreachable) as caught,
        availability.asking(Side.REMOTE, configuration=CONFIGURATION, seconds=1),
    ):
        raise AutoReconnect("gone")

    assert caught.value.facts["side"] == "remote"
