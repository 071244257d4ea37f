"""A step declares what it is, and every face shows it by that: panel in both languages, API, terminal, cancel rule."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone, translation
from rich.console import Console

from backups_app.api.shared import serializers
from backups_app.management.terminal.progress_bars import Bars
from backups_app.pages.runs import run_panel
from backups_app.records import Phase, StepState
from backups_app.runs import declarations, pipelines
from tests.pages.conftest import MOMENT, a_run, step

COPIES = "copy_to_another_place"


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A step as somebody would add it: declared, and put into the pipeline. Nothing else knows it."""
    made = SimpleNamespace(
        NAME=COPIES, TITLE="Back up", GROUP=COPIES, PHASE=Phase.PUBLISHING, CANCELLABLE=True, perform=lambda run: None
    )
    monkeypatch.setattr(pipelines, "STEPS", (*pipelines.STEPS, made))
    return made


def a_run_of_all_steps(**fields: Any) -> Any:
    steps = [step(one.NAME, "done") for one in pipelines.STEPS[:-1]]
    return a_run(steps=[*steps, step(pipelines.STEPS[-1].NAME, "running", finished_at=None)], **fields)


@pytest.mark.parametrize(("language", "title"), [("en", "Back up"), ("hi", "बैकअप बनाएँ")])
def test_a_new_step_has_a_line_of_its_own_in_the_panel(added: SimpleNamespace, language: str, title: str) -> None:
    run = a_run_of_all_steps(status="in_progress", phase=Phase.PUBLISHING.value)
    with translation.override(language):
        panel = run_panel.make_panel(run, now=MOMENT)

    assert (panel.lines[-1].key, panel.lines[-1].title) == (COPIES, title)
    assert panel.current == panel.lines[-1]
    assert panel.cancellable


def test_a_new_step_is_in_the_answer_of_the_api_and_in_the_terminal(added: SimpleNamespace) -> None:
    shown = serializers.run(a_run_of_all_steps(), now=timezone.now())
    out = io.StringIO()
    Bars(Console(file=out)).step_ended(name=COPIES, state=StepState.DONE, seconds=1.0, sentence="2 files")

    assert shown["steps"][-1]["name"] == COPIES
    assert out.getvalue().split() == ["Back", "up", "done", "1.0", "s", "2", "files"]


def test_a_step_of_incremental_runs_alone_is_declared_too(
    added: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "INCREMENTAL_STEPS", (*pipelines.INCREMENTAL_STEPS, added))
    monkeypatch.setattr(pipelines, "STEPS", pipelines.STEPS[:-1])

    assert declarations.title_of(COPIES) == "Back up"


def test_a_step_that_may_not_be_cancelled_closes_its_phase_to_a_cancel(added: SimpleNamespace) -> None:
    assert Phase.PUBLISHING.value in declarations.cancellable_phases()

    added.CANCELLABLE = False

    assert Phase.PUBLISHING.value not in declarations.cancellable_phases()


def test_nothing_that_deletes_or_restores_can_be_cancelled() -> None:
    assert declarations.cancellable_phases() == {
        "queued", "preflight", "syncing", "dumping", "verifying", "publishing",
    }  # fmt: skip


def test_before_publishing_there_is_nothing_that_recovery_could_publish() -> None:
    assert declarations.phases_before_publishing() == {"queued", "preflight", "syncing", "dumping", "verifying"}


@pytest.mark.parametrize("declared", declarations.every_step(), ids=lambda one: str(one.NAME))
def test_every_step_says_in_both_languages_what_it_is(declared: Any) -> None:
    with translation.override("hi"):
        hindi = translation.gettext(declared.TITLE)

    assert hindi != declared.TITLE
    assert isinstance(declared.CANCELLABLE, bool)
    assert declared.GROUP
