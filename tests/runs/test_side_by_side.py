"""Work side by side: results as they come, one at a time where there is one, and all stop when one fails."""

from __future__ import annotations

import threading

import pytest

from backups_app.progress import Silent
from backups_app.runs.steps import side_by_side
from backups_app.runs.steps.side_by_side import OtherFailed, SharedProgress


def test_every_name_is_done_and_no_more_at_once_than_allowed() -> None:
    meeting = threading.Barrier(2)

    def work(name: str) -> str:
        meeting.wait(timeout=30)
        return name.upper()

    done = dict(side_by_side.each(["a", "b", "c", "d"], work, at_once=2, progress=SharedProgress(progress=Silent())))

    assert done == {"a": "A", "b": "B", "c": "C", "d": "D"}


def test_one_alone_stays_in_the_thread_that_asked() -> None:
    progress = SharedProgress(progress=Silent())

    done = dict(side_by_side.each(["a"], lambda _: threading.current_thread(), at_once=2, progress=progress))

    assert done == {"a": threading.current_thread()}


def test_when_one_fails_the_other_stops_and_the_third_does_not_begin() -> None:
    progress, begun, stopped = SharedProgress(progress=Silent()), threading.Event(), []

    def work(name: str) -> None:
        if name == "bad":
            assert begun.wait(timeout=30)
            raise ValueError(name)
        assert name == "good", "the third began"
        begun.set()
        try:
            while True:
                progress.checkpoint()
        except OtherFailed:
            stopped.append(name)
            raise

    with pytest.raises(ValueError, match="bad"):
        dict(side_by_side.each(["good", "bad", "third"], work, at_once=2, progress=progress))

    assert stopped == ["good"]
