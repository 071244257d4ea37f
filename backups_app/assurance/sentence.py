"""The sentence on the card: the first that fits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backups_app.assurance.evidence import Evidence
from backups_app.assurance.marks import Mark, NextStep, marks
from backups_app.messages import assurance as said
from backups_app.messages.message import Message

SHOWN_MARKS = 2


class Level(StrEnum):
    """How the card looks, and how `backup_status` ends: 0 for protected, 6 for attention, 1 for the others."""

    OFF = "off"
    NOT_PROTECTED = "not_protected"
    NEEDS_ATTENTION = "needs_attention"
    PROTECTED = "protected"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One sentence and what mends it."""

    message: Message
    next_step: NextStep = NextStep.NONE


@dataclass(frozen=True, kw_only=True)
class Assurance:
    """The conclusion: the level, the first sentence and the one that stands beside it, and the four marks."""

    level: Level
    steps: tuple[Step, ...]
    marks: tuple[Mark, ...]

    @property
    def code(self) -> str:
        return self.steps[0].message.code

    @property
    def exit_code(self) -> int:
        return {Level.PROTECTED: 0, Level.NEEDS_ATTENTION: 6}.get(self.level, 1)


def conclude(evidence: Evidence) -> Assurance:
    """Given the evidence, name the level and say why. The order is in the room's docstring."""
    found = marks(evidence)
    level, steps = _conclusion(evidence, found)
    return Assurance(level=level, steps=steps, marks=found)


def _conclusion(evidence: Evidence, found: tuple[Mark, ...]) -> tuple[Level, tuple[Step, ...]]:
    if not evidence.is_local:
        return Level.OFF, (Step(message=said.OFF()),)
    if evidence.refusal is not None:
        return Level.NOT_PROTECTED, (Step(message=_not_possible(evidence.refusal, evidence.backups)),)
    if evidence.newest_at is None:
        return Level.NOT_PROTECTED, (Step(message=said.NO_BACKUP(), next_step=NextStep.BACK_UP),)
    if evidence.two_failed is not None:
        return Level.NOT_PROTECTED, (Step(message=said.TWO_FAILED(reason=evidence.two_failed)),)
    missing = [Step(message=mark.message, next_step=mark.missing) for mark in found if not mark.ok]
    if missing:
        return Level.NEEDS_ATTENTION, tuple(missing[:SHOWN_MARKS])
    if evidence.attention:
        return Level.NEEDS_ATTENTION, (Step(message=evidence.attention[0]),)
    return Level.PROTECTED, (Step(message=said.PROTECTED()),)


def _not_possible(refusal: Message, backups: int) -> Message:
    if not backups:
        return said.NOT_POSSIBLE(reason=refusal)
    return said.NOT_POSSIBLE_KEPT(reason=refusal, backups=said.BACKUPS(n=backups))
