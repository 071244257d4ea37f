"""A run as people see it: what is done, how far it is, and at its end what is safe before what is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import DatabaseUnreachable, DiskFull
from backups_app.messages import runs as messages
from backups_app.messages.message import together
from backups_app.pages.runs import run_panel, run_steps
from backups_app.records import Phase, StepState
from tests.pages.conftest import MOMENT, STEP_NAMES, a_run, step

NOW = MOMENT + timedelta(seconds=24)


def running(*states: Any, **fields: Any) -> RunRecord:
    steps = [
        made if isinstance(made, dict) else step(name, made) for name, made in zip(STEP_NAMES, states, strict=False)
    ]
    steps += [step(name) for name in STEP_NAMES[len(steps) :]]
    return a_run(status="in_progress", finished_at=None, published=False, steps=steps) | fields


def dumping(done: int = 400, **fields: Any) -> RunRecord:
    labels = [
        {"name": "bookings", "done": done, "total": 1240, "bytes": 4096},
        {"name": "activities", "done": 50, "total": 50, "bytes": 512},
        {"name": "events", "done": 0, "total": 18, "bytes": 0},
    ]
    moving = step("dump", "running", labels=labels, started_at=MOMENT + timedelta(seconds=4), finished_at=None)
    return running("done", "skipped", "done", moving, phase=Phase.DUMPING.value, **fields)


def test_eight_steps_are_reported_in_four_lines() -> None:
    lines = run_steps.lines(dumping(), now=NOW)

    assert [(line.number, line.key, line.state) for line in lines] == [
        (1, "sync", StepState.DONE),
        (2, "backup", StepState.RUNNING),
        (3, "purge_remote", StepState.WAITING),
        (4, "purge_local", StepState.WAITING),
    ]


def test_a_step_that_nobody_knows_gets_a_line_of_its_own() -> None:
    run = a_run(steps=[*(step(name, "done") for name in STEP_NAMES), step("copy_elsewhere", "running")])

    assert [line.title for line in run_steps.lines(run, now=NOW)][-1] == "Copy elsewhere"


def test_what_moves_comes_first_then_the_longest_that_is_through_then_what_waits() -> None:
    line = run_steps.lines(dumping(), now=NOW)[1]

    assert [bar.name for bar in line.bars] == ["bookings", "activities", "events"]


def test_while_nothing_moves_the_bars_differ_all_the_same() -> None:
    line = run_steps.lines(dumping(done=0), now=NOW)[1]

    assert [bar.name for bar in line.bars] == ["activities", "bookings", "events"]


def test_the_line_above_the_bar_names_the_pass_that_it_counts() -> None:
    current = run_panel.make_panel(dumping(), now=NOW).current

    assert current is not None
    assert current.act == "Copying"
    assert current.sentence == "1 of 3 done · 4.5 KB"


def test_near_its_limit_a_copy_says_when_it_will_be_stopped() -> None:
    late = NOW + timedelta(seconds=230)

    assert run_panel.make_panel(dumping(), now=late, limit_seconds=300).stops_after_seconds == 300
    assert run_panel.make_panel(dumping(), now=NOW, limit_seconds=300).stops_after_seconds is None


def test_a_line_that_was_never_begun_took_no_time() -> None:
    left_out = step("purge_local", "skipped", sentence="Not begun", finished_at=MOMENT)

    assert run_steps.lines(running(*["done"] * 7, left_out), now=NOW)[3].took is None


def test_the_bar_never_goes_back_from_copying_to_checking() -> None:
    full = [{"name": "bookings", "done": 100, "total": 100, "bytes": 1}]
    half = [{"name": "bookings", "done": 1, "total": 100, "bytes": 1}]
    copied = running("done", "done", "done", step("dump", "done", labels=full), step("verify", "running"))
    checking = running(
        "done", "done", "done", step("dump", "done", labels=full), step("verify", "running", labels=half)
    )

    before, after = (run_steps.lines(run, now=NOW)[1] for run in (copied, checking))

    assert before.done / before.total <= after.done / after.total < 1


@pytest.mark.parametrize(
    ("states", "folded"),
    [
        (["done", "skipped"], "skipped"),
        (["skipped", "done"], "done"),
        (["done", "waiting"], "running"),
        (["waiting", "waiting"], "waiting"),
        (["done", "running", "waiting"], "running"),
        (["done", "failed", "cancelled"], "failed"),
        (["done", "cancelled"], "cancelled"),
    ],
)
def test_several_steps_fold_into_one_state(states: list[str], folded: str) -> None:
    assert run_steps.fold([StepState(state) for state in states]) == folded


def test_time_left_is_reported_after_five_seconds_and_rounded() -> None:
    early = run_panel.make_panel(dumping(), now=MOMENT + timedelta(seconds=8))
    later = run_panel.make_panel(dumping(), now=MOMENT + timedelta(seconds=24))

    assert early.seconds_left is None
    assert later.left_text == "about 95 s left" or later.left_text == "about 2 min left"


def test_a_run_can_be_cancelled_until_its_purge_begins() -> None:
    before = run_panel.make_panel(dumping(), now=NOW)
    asked = run_panel.make_panel(dumping(cancel_requested=True), now=NOW)
    purging = run_panel.make_panel(
        running(*["done"] * 6, step("purge_remote", "running"), phase="purging_remote"), now=NOW
    )

    assert (before.cancellable, before.cancelling) == (True, False)
    assert (asked.cancellable, asked.cancelling, asked.words.headline) == (False, True, "Cancelling…")
    assert (purging.cancellable, purging.cancelling) == (False, False)


def test_a_long_silence_is_reported() -> None:
    def silence(**ago: int) -> float | None:
        run = dumping(heartbeat_at=NOW)
        running = next(step for step in run["steps"] if step["state"] == "running")
        running |= {name: NOW - timedelta(seconds=seconds) for name, seconds in ago.items()}
        return run_panel.make_panel(run, now=NOW).silent_seconds

    assert silence(started_at=200, moved_at=34) == 34, "the worker's heart beats, and no counter moves"
    assert silence(started_at=200, moved_at=9) is None
    assert silence(started_at=31) == 31


def test_a_screen_reader_hears_quarters() -> None:
    one, other = (run_panel.make_panel(dumping(done=done), now=NOW).announce for done in (700, 710))

    assert one == other == "Step 2 of 4: Backing up and verifying 3 collections, 25 percent."


def test_success_says_what_was_saved_and_what_was_kept() -> None:
    words = run_panel.make_panel(a_run(kept_changed={"count": 3, "ids": [1, 2, 3]}), now=NOW).words

    assert words.headline == "Backup finished"
    assert words.safe == "3 collections, 1,602 documents, 12.4 MB, verified."
    assert words.rest == "3 documents changed meanwhile and were kept."


VERIFIED = [{"name": name, "done": n, "total": n, "bytes": 1} for name, n in
            (("activities", 50), ("bookings", 1240), ("employee_bookings", 312))]  # fmt: skip


def partial(**fields: Any) -> RunRecord:
    purge = {
        "allowed": True,
        "collections": ["activities", "bookings", "employee_bookings"],
        "withheld": {},
        "remote": {
            "activities": {"deleted": 50, "gone": 0, "kept_changed": 0, "kept_ids": [], "done": True},
            "bookings": {"deleted": 1240, "gone": 0, "kept_changed": 0, "kept_ids": [], "done": True},
            "employee_bookings": {"deleted": 120, "gone": 0, "kept_changed": 0, "kept_ids": [], "done": False},
        },
        "local": {},
    }
    steps = [step(name, "done") for name in STEP_NAMES[:4]]
    steps += [step("verify", "done", labels=VERIFIED), step("publish", "done")]
    steps += [
        step("purge_remote", "failed", sentence="stopped"),
        step("purge_local", "cancelled", sentence=messages.NOT_BEGUN()),
    ]
    return (
        a_run(status="partial", resume_available=True, purge=purge, steps=steps, error_code="purge_unfinished") | fields
    )


def test_an_unfinished_deletion_says_first_what_is_safe_then_what_is_left() -> None:
    panel = run_panel.make_panel(partial(), now=NOW)

    assert panel.words.headline == "Backup saved, but the deletion on Atlas is not finished"
    assert panel.words.safe == "Your backup is complete and verified; the deletion on this computer did not begin."
    assert panel.words.rest.startswith("Still on Atlas: 192 employee_bookings.")
    reported = [(row.collection, row.remote, row.local.state) for row in panel.purge]
    assert [(name, side.deleted, side.documents, here) for name, side, here in reported if side] == [
        ("activities", 50, 50, "not_begun"),
        ("bookings", 1240, 1240, "not_begun"),
        ("employee_bookings", 120, 312, "not_begun"),
    ]


@pytest.mark.parametrize("code", ["cancelled", "disk_full"])
@pytest.mark.parametrize(
    ("language", "text"), [("en-in", "The deletion step did not run."), ("hi", "हटाने का चरण नहीं चला।")]
)
def test_that_the_purge_deleted_nothing_is_stated_once(code: str, language: str, text: str) -> None:
    message = {
        "cancelled": together(messages.STOPPED_BY(by="ravi"), messages.COPY_REMOVED(), messages.STEP_DID_NOT_RUN()),
        "disk_full": together(DiskFull(needed="78 MB", free="4 MB").detail, messages.STEP_DID_NOT_RUN()),
    }[code]
    with translation.override(language):
        words = run_panel.make_panel(a_run(status="failed", error_code=code, error_message=message), now=NOW).words

    assert words.text.count(text) == 0, "the headline says it"
    assert words.text.count(" ") > 5, "and the rest is still there"


def test_the_reason_of_a_failed_sync_is_stated_once() -> None:
    reason = DatabaseUnreachable(side="remote").detail
    steps = [step("preflight", "done"), step("sync", "failed", sentence=reason), step("dump", "done")]
    panel = run_panel.make_panel(
        a_run(
            status="partial",
            sync_status="failed",
            steps=steps,
            warnings=["The disk is old.", messages.WITHOUT_THE_NEWEST_BECAUSE(reason=reason)],
            error_message=together(reason, messages.WITHOUT_THE_NEWEST(), messages.STEP_DID_NOT_RUN_WITHOUT_ATLAS()),
        ),
        now=NOW,
    )

    everything = [panel.words.headline, panel.words.text, *(line.sentence for line in panel.lines), *panel.warnings]
    assert sum(reason in text for text in everything) == 1
    assert sum("newest changes from Atlas" in text for text in everything) == 1
    assert [line.sentence for line in panel.lines if line.key == "sync"] == ["Failed"]
    assert list(panel.warnings) == ["The disk is old."]


def test_a_failed_sync_offers_no_resume_and_says_that_nothing_was_deleted() -> None:
    panel = run_panel.make_panel(a_run(status="partial", sync_status="failed", error_message="Atlas is away."), now=NOW)

    assert panel.words.headline == "Backup made without the newest changes from Atlas"
    assert "The deletion step did not run." in panel.words.safe
    assert panel.table_under == ""


@pytest.mark.parametrize(
    ("code", "headline"),
    [
        ("cancelled", "Backup cancelled. The deletion step did not run."),
        ("interrupted", "Interrupted. The deletion step did not run."),
        ("scheduler_down", "Interrupted. The deletion step did not run."),
        ("disk_full", "Backup failed at step 2. The deletion step did not run."),
    ],
)
def test_a_run_that_made_nothing_says_that_the_purge_deleted_nothing(code: str, headline: str) -> None:
    steps = [step("preflight", "done"), step("sync", "done"), step("dump", "failed")]
    run = a_run(status="failed", published=False, error_code=code, error_message="Why.", steps=steps)

    words = run_panel.make_panel(run, now=NOW).words

    assert (words.headline, words.safe) == (headline, "Why.")


@pytest.mark.parametrize(
    ("code", "badge", "tone"),
    [("cancelled", "Cancelled", ""), ("interrupted", "Interrupted", "warn"), ("disk_full", "Failed", "bad")],
)
def test_what_somebody_stopped_is_not_called_failed(code: str, badge: str, tone: str) -> None:
    words = run_panel.make_panel(a_run(status="failed", published=False, error_code=code), now=NOW).words

    assert (words.badge, words.tone) == (badge, tone)


def test_a_failure_stands_in_bold_and_what_to_do_after_it() -> None:
    run = a_run(status="failed", published=False, error_message="The disk is full. Remove old backups. Try again.")

    words = run_panel.make_panel(run, now=NOW).words

    assert (words.safe, words.rest) == ("The disk is full.", "Remove old backups. Try again.")


def test_technical_details_hold_no_owner_and_no_key() -> None:
    reported = run_panel.make_panel(
        a_run(owner={"token": "secret-token"}, idempotency_key="secret-key"), now=NOW
    ).technical

    assert "secret" not in reported
    assert '"engine": "python"' in reported


def test_between_two_steps_the_next_one_is_reported() -> None:
    run = running(*["done"] * 6, phase=Phase.PUBLISHING.value)

    panel = run_panel.make_panel(run, now=NOW)

    assert panel.current is not None and panel.current.key == "purge_remote"
    assert run_panel.make_panel(running(phase=Phase.QUEUED.value), now=NOW).current is None
