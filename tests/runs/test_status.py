"""What the card concludes, given what one look found: no verdict without its evidence, and nothing wrong is hidden."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.assurance.evidence import Copies, Slots, Watch
from backups_app.assurance.sentence import Assurance, Level, conclude
from backups_app.backup_files.store.store import DiskUsage
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable, ModeNotLocal, MongodumpMissing, NoRoomToBegin
from backups_app.mongo.connections import ServerFacts
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.readiness.reach import Reach
from backups_app.use_cases.status import evidence
from backups_app.use_cases.status.evidence import StatusFacts
from backups_app.use_cases.syncs.sync_overview import SyncOverview

NOW = datetime(2026, 1, 19, 9, 0, tzinfo=UTC)
MB = 1024 * 1024
HOUR = timedelta(hours=1)
SERVER = ServerFacts(
    version="8.0", replica_set=True, sharded=False, set_name="rs", process_id="1", host="h", latency_ms=1.0,
    clock_ahead_seconds=0.0,
)  # fmt: skip
BOTH = Configuration(local_url=Secret("mongodb://l"), cloud_url=Secret("mongodb://r"))
SYNCED = SyncOverview(synced_at=NOW - HOUR, proof=None, blocked={}, left_over={}, logs=[])
LOCAL = Reach(reachable=True)


@pytest.fixture(autouse=True)
def _watched_and_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of other rooms, where all is well."""
    copies = Copies(target="offsite", newest_is_copied=True, uncopied_documents=0, opened=True, since=NOW - HOUR)
    monkeypatch.setattr(evidence, "copies", lambda **_: copies)
    monkeypatch.setattr(evidence, "schedules", lambda now, newest_at: (nightly(newest_at),))
    monkeypatch.setattr(evidence, "watch", lambda configuration, now: Watch(tick_at=NOW, accepted_at=NOW - HOUR))


def nightly(newest_at: datetime | None) -> Slots:
    """A schedule whose slot was seven hours ago."""
    last, following = NOW - 7 * HOUR, NOW + 17 * HOUR
    is_served = newest_at is not None and newest_at >= last
    return Slots(last=last, next=following, unserved=None if is_served else (last, following))


def a_run(**fields: Any) -> RunRecord:
    return RunRecord({
        "backup_id": "20260119_080000", "kind": "backup", "created_at": NOW - HOUR, "status": "success",
        "bytes": 10 * MB, "message": "", "resume_available": False, "published": True, "verified": True,
        "sync_status": "success", "purge": None, "steps": [],
    } | fields)  # fmt: skip


REHEARSAL = a_run(
    kind="rehearsal", published=False, verified=False, finished_at=NOW - HOUR,
    steps=[{"name": "rehearse", "started_at": NOW - HOUR - timedelta(seconds=12), "finished_at": NOW - HOUR}],
)  # fmt: skip
FAILED = {"status": "failed", "published": False, "verified": False}


def looked(*refusals: Exception, free: int = 1000 * MB, clock: float = 0.0) -> Any:
    """What readiness found."""
    return readiness.Readiness(
        refusals=refusals,  # type: ignore[arg-type]
        engine="python",
        data_bytes=MB,
        disk=DiskUsage(total_bytes=2000 * MB, free_bytes=free),
        local=replace(SERVER, clock_ahead_seconds=clock),
    )


def concluded(*, runs: list[RunRecord] | None = None, configuration: Configuration = BOTH, **facts: Any) -> Assurance:
    given: dict[str, Any] = {
        "looked": looked(), "every": [REHEARSAL, *([a_run()] if runs is None else runs)], "local": LOCAL,
        "remote": Reach(reachable=True), "sync": SYNCED, "now": NOW,
    }  # fmt: skip
    return conclude(evidence.gather(StatusFacts(**(given | facts)), configuration=configuration))


def text(assurance: Assurance) -> list[str]:
    """The sentence, and what else needs attention."""
    return [assurance.sentence, *(one.message.english for one in assurance.attention)]


def test_all_is_well() -> None:
    assurance = concluded()

    assert (assurance.level, text(assurance)) == (Level.PROTECTED, ["Your data is protected."])
    assert (assurance.restore_seconds, assurance.loss.window) == (12.0, HOUR)


@pytest.mark.parametrize(
    ("facts", "level", "expected"),
    [
        ({"looked": looked(ModeNotLocal()), "configuration": replace(BOTH, primary_database="cloud")},
         Level.OFF, "Backups are off"),
        ({"looked": looked(MongodumpMissing())}, Level.NOT_PROTECTED, "mongodump"),
        ({"looked": looked(NoRoomToBegin(needed="78 MB", free="4 MB"))}, Level.NOT_PROTECTED, "No backup can start."),
        ({"looked": looked(DatabaseUnreachable(side="local"))}, Level.NOT_PROTECTED, "Your 1 backup is safe."),
        ({"runs": []}, Level.NOT_PROTECTED, "no backup yet"),
        ({"runs": [a_run(verified=False)]}, Level.NOT_PROTECTED, "no backup yet"),
        ({"runs": [a_run(**FAILED)] * 2 + [a_run()]}, Level.NOT_PROTECTED, "the last two runs failed"),
        ({"runs": [a_run(resume_available=True)]}, Level.NEEDS_ATTENTION, "the deletion of the run of 20260119_080000"),
        ({"runs": [a_run(**FAILED), a_run()]}, Level.NEEDS_ATTENTION, "the last run failed."),
        ({"runs": [a_run(status="partial")]}, Level.NEEDS_ATTENTION, "the last run was partial"),
        ({"runs": [a_run(status="cancelled", published=False), a_run()]}, Level.NEEDS_ATTENTION, "was cancelled"),
        ({"runs": [a_run(created_at=NOW - 8 * HOUR)]}, Level.NEEDS_ATTENTION, "The last good backup is 8 hours old"),
        ({"looked": looked(free=49 * MB)}, Level.NEEDS_ATTENTION, "room for 4 more backups"),
        ({"looked": looked(free=50 * MB)}, Level.PROTECTED, ""),
        ({"remote": Reach(reachable=False)}, Level.NEEDS_ATTENTION, "Backups still work"),
        ({"remote": Reach(reachable=False), "configuration": replace(BOTH, sync_failure_policy="abort")},
         Level.NEEDS_ATTENTION, "no backup is made until it answers"),
        ({"remote": Reach(reachable=True, clock_ahead_seconds=-61)}, Level.NEEDS_ATTENTION, "61 seconds apart"),
        ({"looked": looked(clock=300), "remote": Reach(reachable=True, clock_ahead_seconds=299)}, Level.PROTECTED, ""),
        ({"looked": looked(clock=300), "remote": None}, Level.PROTECTED, ""),
        ({"runs": [a_run(status="in_progress", published=False, verified=False), a_run()]},
         Level.PROTECTED, "Your data is protected. A backup is running."),
    ],
)  # fmt: skip
def test_each_conclusion_and_what_it_says(facts: dict[str, Any], level: Level, expected: str) -> None:
    assurance = concluded(**facts)

    assert assurance.level is level
    assert expected in assurance.sentence


def test_everything_that_is_wrong_is_stated_worst_first() -> None:
    assurance = concluded(
        runs=[a_run(status="partial", resume_available=True)],
        looked=looked(free=49 * MB),
        remote=Reach(reachable=False),
        sync=replace(SYNCED, left_over={"x": "it is a view here and a collection on Atlas"}),
    )

    assert text(assurance)[0] == "Needs attention: the deletion of the run of 20260119_080000 is unfinished."
    assert [one.message.code for one in assurance.attention] == [
        "last_run_partial", "sync_left_something", "little_room", "atlas_away",
    ]  # fmt: skip


def test_what_the_sentence_says_is_not_stated_again() -> None:
    refusal = MongodumpMissing()

    assert len(text(concluded(looked=looked(refusal), local=Reach(reachable=False, problem=refusal)))) == 1
    assert len(text(concluded(runs=[a_run(**FAILED)] * 2 + [a_run()]))) == 1


def test_the_message_of_the_last_run_is_stated_too() -> None:
    runs = [a_run(**FAILED, message="The purge deleted nothing."), a_run()]

    assert concluded(runs=runs).sentence == "Needs attention: the last run failed. The purge deleted nothing."


def test_a_start_refused_for_the_disk_speaks_of_no_purge() -> None:
    assert "purge" not in concluded(looked=looked(NoRoomToBegin(needed="78 MB", free="4 MB"))).sentence


@pytest.mark.parametrize(
    "reason", ["it is a view here and a collection on Atlas", "3 documents could not be carried over"]
)
def test_what_a_sync_left_over_is_not_protected(reason: str) -> None:
    assurance = concluded(sync=replace(SYNCED, left_over={"x": reason}))

    assert assurance.level is Level.NEEDS_ATTENTION
    assert f"x: {reason}." in assurance.sentence


def test_a_backup_dated_in_the_future_is_no_evidence() -> None:
    ahead = a_run(backup_id="20300101_000000", created_at=NOW + timedelta(days=1_000))

    assurance = concluded(runs=[ahead])

    assert assurance.level is Level.NOT_PROTECTED
    assert "the backup 20300101_000000 is dated in the future" in assurance.sentence


PURGED = {
    "allowed": True, "collections": ["activities", "bookings"],
    "remote": {"bookings": {"deleted": 1_240, "done": True}, "activities": {"deleted": 50, "done": True}},
    "local": {"bookings": {"deleted": 1_200, "done": True}, "activities": {"deleted": 50, "done": True}},
}  # fmt: skip


@pytest.mark.parametrize(("released", "held"), [(None, 1_240), ({"by": "ananya"}, 0)])
def test_deleted_bookings_that_only_this_disk_holds_are_counted(
    released: Any, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "copies", lambda **_: None)

    assurance = concluded(runs=[a_run(purge=PURGED, released=released)])

    assert assurance.loss.documents == held
    assert (assurance.level, assurance.code) == (Level.NEEDS_ATTENTION, "not_elsewhere")


def test_nothing_is_claimed_of_a_sync_that_nobody_can_ask_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "copies", lambda **_: None)

    assert concluded(sync=None).loss.messages == ()
    assert (
        "Everything would be lost"
        in concluded(sync=None, remote=None, configuration=replace(BOTH, cloud_url=Secret(""))).loss.messages[0].english
    )
