"""A copy that is at work is not taken over, however slow its target is; one whose process is silent is."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError
from django.utils import timezone

from backups_app.copying import heartbeat
from backups_app.copying.heartbeat import STUCK, Heart
from backups_app.storage import copy_rows
from backups_app.storage.copy_rows import SILENT, Claim, State
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.object_store import RETRIES, TIMES
from backups_app.storage.target import ObjectHead
from tests.copying.conftest import Copying, Made
from tests.storage.making import directory_target

A_MINUTE = timedelta(minutes=1)


def taken_over(copy: Copying, *, now: datetime) -> Claim | None:
    """What a second process gets that looks now and does not see the first."""
    copy.row.refresh_from_db()
    return copy_rows.claim(copy.row, worker={"pid": 2}, is_gone=lambda _: False, now=now)


class SlowToRead(DirectoryTarget):
    """Its e_tag is no MD5, as Azure's is not, and each object takes ten minutes to be read back."""

    def of(self, copy: Copying) -> SlowToRead:
        self.copy, self.second = copy, list[Claim | None]()
        return self

    def head(self, name: str) -> ObjectHead:
        return dataclasses.replace(super().head(name), e_tag="0x8D4BCC2E4835CD0")

    def read(self, name: str) -> Iterator[bytes]:
        for byte in b"".join(super().read(name)):
            self.copy.now += timedelta(seconds=600 / 40)
            self.second.append(taken_over(self.copy, now=self.copy.now))
            yield bytes([byte])


def test_an_object_that_is_read_back_for_long_is_not_taken_over(copying: Made, tmp_path: Path) -> None:
    copy = copying({"temple/a.bson": b"a" * 40})
    target = SlowToRead(name="nas", root=directory_target(tmp_path / "nas").root).of(copy)

    copy.sender(target).send()

    assert len(target.second) > 40 and set(target.second) == {None}
    copy.require_whole(directory_target(tmp_path / "nas"))


def test_a_part_of_fifteen_minutes_is_not_taken_over(copying: Made) -> None:
    copy = copying()
    claim, now = copy.claim(), copy.now
    heart = Heart(claim, now=now)

    for _ in range(15):
        now += A_MINUTE
        assert heart.beat(now=now)
        assert taken_over(copy, now=now) is None


def test_one_that_is_frozen_is_taken_over_and_stops_its_heartbeat(copying: Made) -> None:
    copy = copying()
    heart, frozen_at = Heart(copy.claim(), now=copy.now), copy.now
    assert heart.beat(now=frozen_at)

    assert taken_over(copy, now=frozen_at + SILENT) is None
    assert taken_over(copy, now=frozen_at + SILENT + A_MINUTE) is not None
    copy.row.refresh_from_db()
    before = copy.row.heartbeat_at

    assert not heart.beat(now=frozen_at + SILENT + 2 * A_MINUTE)
    copy.row.refresh_from_db()
    assert copy.row.heartbeat_at == before


def test_one_that_is_stuck_for_longer_than_any_part_falls_silent_until_it_moves(copying: Made) -> None:
    copy = copying()
    claim, began = copy.claim(), copy.now
    heart = Heart(claim, now=began)
    of_a_part, of_retries = TIMES["timeout"], RETRIES["retry_timeout"]
    assert isinstance(of_retries, timedelta)
    assert 2 * (of_a_part + of_retries) < STUCK, "the last part, then the request that closes"

    assert heart.beat(now=began + STUCK)
    assert heart.beat(now=began + STUCK + A_MINUTE)
    copy.row.refresh_from_db()
    assert copy.row.heartbeat_at == began + STUCK

    claim.alive(sent_bytes=1, now=began + STUCK + A_MINUTE)
    assert heart.beat(now=began + STUCK + 2 * A_MINUTE)
    copy.row.refresh_from_db()
    assert copy.row.heartbeat_at == began + STUCK + 2 * A_MINUTE


def test_a_copy_that_has_ended_gets_no_heartbeat(copying: Made) -> None:
    copy = copying()
    claim = copy.claim()
    claim.complete(manifest="m", stored_bytes=1, read_back=True, now=copy.now)

    assert not claim.beat(now=copy.now)
    assert copy.row.state == State.COMPLETE


def test_the_thread_beats_beside_the_work_over_a_database_that_is_away_and_ends_with_it(
    copying: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, beaten = copying().claim(), threading.Semaphore(0)

    def beat(self: Claim, **_: Any) -> bool:
        beaten.release()
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(Claim, "beat", beat)
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.001)

    with heartbeat.kept_up(claim, clock=timezone.now):
        assert all(beaten.acquire(timeout=20) for _ in range(3))

    assert "copy heartbeat" not in {thread.name for thread in threading.enumerate()}
