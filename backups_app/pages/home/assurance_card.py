"""The conclusion as the card shows it: the next missing step as a button, four marks, and what would be lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from backups_app.assurance.evidence import Finding
from backups_app.assurance.marks import Mark, NextStep, duration_message
from backups_app.assurance.sentence import Assurance, SentencePart
from backups_app.messages.protection import assurance as messages
from backups_app.pages.shared.message_text import text_of
from backups_app.use_cases import attention

PLACES = {
    NextStep.SET_SCHEDULE: "pages:schedule",
    NextStep.CHOOSE_CHANNEL: "pages:notifications",
    NextStep.ADD_COPY: "pages:copies",
    NextStep.COPY_NOW: "pages:copies",
    NextStep.TEST_KEY: "pages:copies",
}
"""The page that mends it. Where this version has no such page the hint says what to do."""


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """What is missing, in the language of the page. `address` leads to where it is mended; empty: nowhere yet."""

    next_step: str
    text: str
    hint: str
    address: str


@dataclass(frozen=True, kw_only=True)
class ShownMark:
    name: str
    ok: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class ShownFinding:
    """What else needs attention. `backup_id` leads to the run that it is about."""

    text: str
    backup_id: str


@dataclass(frozen=True, kw_only=True)
class AssuranceCard:
    """`steps` are what to do next, the first one about the sentence; `losses` what would be lost."""

    steps: tuple[ShownStep, ...]
    marks: tuple[ShownMark, ...]
    attention: tuple[ShownFinding, ...]
    losses: tuple[str, ...]
    running: bool


def shown_assurance(concluded: Assurance) -> AssuranceCard:
    """Return the conclusion in the language of the page."""
    return AssuranceCard(
        steps=tuple(_step(step) for step in concluded.steps if step.next_step is not NextStep.NONE),
        marks=tuple(_shown_mark(mark) for mark in concluded.marks),
        attention=tuple(_finding(finding) for finding in concluded.attention),
        losses=tuple(_losses(concluded)),
        running=concluded.running,
    )


def _step(step: SentencePart) -> ShownStep:
    hint = text_of(step.hint) if step.hint else ""
    text = text_of(step.message)
    return ShownStep(next_step=step.next_step.value, text=text, hint=hint, address=_address(step.next_step))


def _address(next_step: NextStep) -> str:
    try:
        return reverse(PLACES[next_step])
    except (KeyError, NoReverseMatch):
        return ""


def _shown_mark(mark: Mark) -> ShownMark:
    return ShownMark(name=mark.name, ok=mark.ok, text=text_of(mark.evidence))


def _finding(finding: Finding) -> ShownFinding:
    """How the last run ended its own panel says at length: here in one sentence."""
    hint = text_of(finding.hint) if finding.hint else ""
    text = text_of(finding.message)
    if attention.is_about_last_run(finding):
        text = text_of(attention.without_reason(finding))
    shown = " ".join(filter(None, [text[:1].upper() + text[1:], hint]))
    return ShownFinding(text=shown, backup_id=finding.backup_id)


def _losses(concluded: Assurance) -> Iterator[str]:
    yield from (text_of(message) for message in concluded.loss.messages)
    if concluded.restore_seconds is not None:
        yield text_of(messages.RESTORE_TOOK(duration=duration_message(concluded.restore_seconds)))
