"""The outcome of a run is a conclusion from its steps and from what is published."""

from __future__ import annotations

from typing import Any

import pytest

from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.records import Side, Status, StepState
from backups_app.runs.closing import outcome


def steps(*states: StepState) -> list[StepRecord]:
    return [StepRecord(name=f"step{n}", state=state) for n, state in enumerate(states)]


@pytest.mark.parametrize("states", [(StepState.DONE,), (StepState.DONE, StepState.SKIPPED), (StepState.FAILED,)])
def test_what_published_nothing_is_failed_whatever_its_steps_say(states: tuple[StepState, ...]) -> None:
    assert outcome.conclude(published=False, steps=steps(*states)) is Status.FAILED


def test_everything_done_or_not_asked_for_is_a_success() -> None:
    reported = outcome.conclude(published=True, steps=steps(StepState.DONE, StepState.SKIPPED))

    assert reported is Status.SUCCESS


@pytest.mark.parametrize(
    "state", [StepState.FAILED, StepState.CANCELLED, StepState.WARNING, StepState.WAITING, StepState.RUNNING]
)
def test_a_published_backup_with_anything_undone_is_partial(state: StepState) -> None:
    assert outcome.conclude(published=True, steps=steps(StepState.DONE, state)) is Status.PARTIAL


def test_deletions_read_as_the_specification_prints_them() -> None:
    purge = run(local={"activities": {"deleted": 50}, "bookings": {"deleted": 1}}).purge

    assert outcome.deleted(purge, Side.LOCAL) == ["activities (50 documents)", "bookings (1 document)"]


def test_kept_documents_of_both_sides_are_counted_and_at_most_a_hundred_are_named() -> None:
    entry = {"kept_changed": 80, "kept_ids": [str(n) for n in range(80)]}

    reported = outcome.skipped_changed(run(local={"bookings": entry}, remote={"bookings": entry}).purge)

    assert reported["count"] == 160
    assert len(reported["ids"]) == 100


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("Atlas was silent.", "Your backup is complete and verified. Atlas was silent."),
        (None, "Your backup is complete and verified."),
    ],
)
def test_that_a_backup_is_safe_is_stated_once(sentence: str | None, message: str) -> None:
    partial = RunRecord(kind="backup", status=Status.PARTIAL.value, error_message=sentence, steps=[])

    assert outcome.message(partial) == message


def run(**purge: Any) -> RunRecord:
    return RunRecord(sync_status="success", purge={"collections": ["activities"], **purge})


def test_resume_is_offered_when_an_allowed_purge_is_unfinished_on_a_side() -> None:
    done, open_ = {"activities": {"done": True}}, {"activities": {"done": False}}

    assert outcome.resume_available(run(allowed=True, remote=open_, local={}))
    assert outcome.resume_available(run(allowed=True, remote=done, local={}))
    assert not outcome.resume_available(run(allowed=True, remote=done, local=done))


def test_resume_is_not_offered_when_the_purge_was_refused_or_given_up() -> None:
    assert not outcome.resume_available(run(allowed=False, remote={}, local={}))
    assert not outcome.resume_available(run(allowed=True, kept_after_all=True, remote={}, local={}))
    assert not outcome.resume_available(RunRecord(sync_status="success", purge=None))


def test_what_is_unfinished_is_asked_of_the_sides_of_the_plan_alone() -> None:
    done: dict[str, Any] = {"activities": {"done": True}}

    assert not outcome.resume_available(run(allowed=True, sides=["local"], remote={}, local=done))
    assert outcome.resume_available(
        RunRecord(sync_status="skipped", purge={**run(allowed=True, local=done)["purge"], "sides": ["remote", "local"]})
    )


@pytest.mark.parametrize(
    ("sync_status", "purge", "sides"),
    [
        ("success", None, (Side.REMOTE, Side.LOCAL)),
        ("skipped", None, (Side.LOCAL,)),
        ("skipped", {"collections": []}, (Side.LOCAL,)),
        ("success", {"sides": []}, (Side.REMOTE, Side.LOCAL)),
        ("skipped", {"sides": ["nowhere"]}, (Side.LOCAL,)),
        ("success", {"sides": ["local"]}, (Side.LOCAL,)),
        ("success", {"sides": ["local", "remote"]}, (Side.REMOTE, Side.LOCAL)),
    ],
)
def test_a_deletion_whose_plan_names_no_sides_has_those_of_its_sync(
    sync_status: str, purge: Any, sides: tuple[Side, ...]
) -> None:
    assert RunRecord(sync_status=sync_status, purge=purge).purge.sides == sides
