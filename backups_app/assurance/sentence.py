"""The level of protection and the sentence on the card: the first that fits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backups_app.assurance.evidence import Evidence, Finding, Rehearsal
from backups_app.assurance.loss import Loss, loss
from backups_app.assurance.marks import Mark, NextStep, marks
from backups_app.messages.message import Message, Sentence
from backups_app.messages.protection import assurance as wording

SHOWN_MARKS = 2

HINTS: dict[NextStep, Sentence] = {
    NextStep.BACK_UP: wording.HINT_BACK_UP,
    NextStep.ADD_COPY: wording.HINT_ADD_COPY,
    NextStep.COPY_NOW: wording.HINT_COPY_NOW,
    NextStep.TEST_KEY: wording.HINT_TEST_KEY,
    NextStep.TEST_RESTORE: wording.HINT_TEST_RESTORE,
    NextStep.SET_SCHEDULE: wording.HINT_SET_SCHEDULE,
    NextStep.START_WORKER: wording.HINT_START_WORKER,
    NextStep.CHOOSE_CHANNEL: wording.HINT_CHOOSE_CHANNEL,
}


class Level(StrEnum):
    """How the card looks, and how `backup_status` ends: 0 for protected, 6 for attention, 1 for the others."""

    OFF = "off"
    NOT_PROTECTED = "not_protected"
    NEEDS_ATTENTION = "needs_attention"
    PROTECTED = "protected"


@dataclass(frozen=True, kw_only=True)
class SentencePart:
    """One sentence and what mends it. `backup_id` names the run that it is about."""

    message: Message
    next_step: NextStep = NextStep.NONE
    hint: Message | None = None
    backup_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Assurance:
    """The conclusion: the level, the first sentence and the one that stands beside it, the four marks, and what would
    be lost. `attention` is what else is wrong: it never hides behind a missing mark."""

    level: Level
    steps: tuple[SentencePart, ...]
    marks: tuple[Mark, ...]
    attention: tuple[Finding, ...] = ()
    loss: Loss
    rehearsal: Rehearsal | None = None
    running: bool = False

    @property
    def restore_seconds(self) -> float | None:
        """How long the restore of the last test took; None without one."""
        return self.rehearsal.seconds if self.rehearsal else None

    @property
    def code(self) -> str:
        return self.steps[0].message.code

    @property
    def sentence(self) -> str:
        """The first sentence in English. A running backup keeps it, and adds that it runs."""
        english = self.steps[0].message.english
        return f"{english} {wording.RUNNING_TOO().english}" if self.running else english

    @property
    def hint(self) -> str:
        """What to do about it, in English; empty where nothing is to be done."""
        hint = self.steps[0].hint
        return hint.english if hint else ""

    @property
    def exit_code(self) -> int:
        return {Level.PROTECTED: 0, Level.NEEDS_ATTENTION: 6}.get(self.level, 1)


def conclude(evidence: Evidence) -> Assurance:
    """Given the evidence, name the level and say why. The order is in the room's docstring."""
    found = marks(evidence)
    level, steps = _conclusion(evidence, found)
    is_headline = steps[0].message.code == wording.NEEDS_ATTENTION.code
    return Assurance(
        level=level,
        steps=steps,
        marks=found,
        attention=evidence.attention[1:] if is_headline else evidence.attention,
        loss=loss(evidence),
        rehearsal=evidence.rehearsal,
        running=evidence.running,
    )


def _conclusion(evidence: Evidence, found: tuple[Mark, ...]) -> tuple[Level, tuple[SentencePart, ...]]:
    if not evidence.is_local:
        return Level.OFF, (_about(wording.OFF(), evidence.refusal),)
    if evidence.refusal is not None:
        return Level.NOT_PROTECTED, (_about(_not_possible(evidence, evidence.refusal), evidence.refusal),)
    if evidence.newest_at is None:
        return Level.NOT_PROTECTED, (_no_backup(evidence.none_good),)
    if evidence.two_failed is not None:
        failed = evidence.two_failed
        return Level.NOT_PROTECTED, (_about(wording.TWO_FAILED(reason=failed.message), failed),)
    missing = tuple(_missing_step(mark, mark.message) for mark in found if mark.message is not None)
    if missing:
        return Level.NEEDS_ATTENTION, missing[:SHOWN_MARKS]
    if evidence.attention:
        first = evidence.attention[0]
        return Level.NEEDS_ATTENTION, (_about(wording.NEEDS_ATTENTION(reason=first.message), first),)
    return Level.PROTECTED, (SentencePart(message=wording.PROTECTED()),)


def _missing_step(mark: Mark, message: Message) -> SentencePart:
    """Return what a missing mark says, and what mends it."""
    hint = HINTS.get(mark.missing)
    return SentencePart(message=message, next_step=mark.missing, hint=hint() if hint else None)


def _about(message: Message, finding: Finding | None) -> SentencePart:
    if finding is None:
        return SentencePart(message=message)
    return SentencePart(message=message, hint=finding.hint, backup_id=finding.backup_id)


def _not_possible(evidence: Evidence, refusal: Finding) -> Message:
    if not evidence.local_away:
        return wording.NOT_POSSIBLE(reason=refusal.message)
    if not evidence.backups:
        return wording.LOCAL_AWAY()
    return wording.LOCAL_AWAY_KEPT(n=evidence.backups)


def _no_backup(why: Finding | None) -> SentencePart:
    if why is None:
        return SentencePart(message=wording.NO_BACKUP(), next_step=NextStep.BACK_UP, hint=wording.HINT_BACK_UP())
    step = _about(wording.NO_GOOD_BACKUP(reason=why.message), why)
    return SentencePart(message=step.message, next_step=NextStep.BACK_UP, hint=step.hint, backup_id=step.backup_id)
