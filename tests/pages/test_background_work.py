"""Answers in the making: begun once, watched by many, told once when they fail, given up when nobody asks."""

from __future__ import annotations

import time
from threading import Event
from typing import Any

import pytest

from backups_app.errors import RunCancelled, SearchBusy, TempleOpsError
from backups_app.pages.shared import background_work
from backups_app.pages.shared.background_work import BackgroundTask, BackgroundWork


def test_who_asks_while_it_is_made_joins_in_and_sees_how_far_it_is() -> None:
    go_on, begun = Event(), []
    kind: BackgroundWork[str] = BackgroundWork("test")

    def make(making: BackgroundTask[str]) -> str:
        begun.append(making)
        making.expect("bookings", 10)
        making.advance("bookings", 7)
        assert go_on.wait(10)
        return "made"

    first = kind.of("key", make, wait_seconds=0)
    second = kind.of("key", make, wait_seconds=0.2)
    seen = second.collection, second.compared, second.result
    go_on.set()

    assert first is second and seen == ("bookings", 7, None)
    assert kind.of("key", make, wait_seconds=10).result == "made"
    assert len(begun) == 1
    assert kind.known("key") is first and kind.known("another") is None


def test_a_failure_is_told_once_and_a_defect_of_ours_has_a_name() -> None:
    failures: list[Exception] = [SearchBusy(), ZeroDivisionError()]
    kind: BackgroundWork[str] = BackgroundWork("test")

    def make(_: Any) -> str:
        if failures:
            raise failures.pop(0)
        return "made"

    told = [kind.of("key", make, wait_seconds=10) for _ in range(3)]

    assert [type(making.error) for making in told] == [SearchBusy, TempleOpsError, type(None)]
    assert told[-1].result == "made"


@pytest.mark.parametrize(("to_the_end", "error"), [(False, RunCancelled), (True, type(None))])
def test_what_nobody_asks_for_is_given_up_unless_it_is_wanted_to_its_end(
    monkeypatch: pytest.MonkeyPatch, to_the_end: bool, error: type
) -> None:
    monkeypatch.setattr(background_work, "ABANDONED_SECONDS", 0.05)
    kind: BackgroundWork[str] = BackgroundWork("test", to_the_end=to_the_end)

    def make(making: BackgroundTask[str]) -> str:
        until = time.monotonic() + 10
        while time.monotonic() - making.asked_at < 0.1 and time.monotonic() < until:
            time.sleep(0.01)
        making.checkpoint()
        return "made"

    making = kind.of("key", make, wait_seconds=0)

    assert making.ended.wait(10)
    assert type(making.error) is error


def test_no_more_are_kept_than_there_is_room_for() -> None:
    kind: BackgroundWork[int] = BackgroundWork("test")
    for number in range(background_work.MOST_KEPT + 5):
        kind.of(number, lambda _: 1, wait_seconds=10)

    assert kind.known(0) is None and kind.known(background_work.MOST_KEPT + 4) is not None
    kind.forget_all()
    assert kind.known(background_work.MOST_KEPT + 4) is None
