"""What the steps of all pipelines declare, for those who only have a step's stored name or a run's phase."""

from __future__ import annotations

from backups_app.records import Phase
from backups_app.runs import pipelines, restore_pipelines
from backups_app.runs.context import Step
from backups_app.runs.steps import publish


def every_step() -> tuple[Step, ...]:
    """Return each step of every pipeline once, in the order of the work."""
    named = {step.NAME: step for line in _lines() for step in line}
    return tuple(named.values())


def find(name: str) -> Step | None:
    """Return the step of this stored name; None for one of another version of this program."""
    return next((step for step in every_step() if name == step.NAME), None)


def title_of(name: str) -> str:
    """Return a step's title in English, made of its name where this version does not know it."""
    step = find(name)
    return step.TITLE if step else name.replace("_", " ").capitalize()


def group_of(name: str) -> str:
    """Return the line of the panel under which a step stands; its own name where this version does not know it."""
    step = find(name)
    return str(step.GROUP) if step else name


def cancellable_phases() -> frozenset[str]:
    """Return the phases in which a run obeys a cancel: before it is taken, and in every step that says so."""
    phases = {step.PHASE for step in every_step()}
    finishing = {step.PHASE for step in every_step() if not step.CANCELLABLE}
    return frozenset(phase.value for phase in {Phase.QUEUED} | (phases - finishing))


def phases_before_publishing() -> frozenset[str]:
    """Return the phases in which a run has nothing that could be published yet."""
    before = {Phase.QUEUED}
    for line in _lines():
        names = [step.NAME for step in line]
        if publish.NAME in names:
            before |= {step.PHASE for step in line[: names.index(publish.NAME)]}
    return frozenset(phase.value for phase in before)


def _lines() -> tuple[tuple[Step, ...], ...]:
    return (pipelines.STEPS, pipelines.INCREMENTAL_STEPS, *restore_pipelines.STEPS.values())
