"""What every named failure has: a code, an HTTP status, an exit code, a sentence and a hint."""

from __future__ import annotations

from typing import Any, ClassVar


class TempleOpsError(Exception):
    """Base of all named failures."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    sentence: ClassVar[str] = "Something went wrong. Look at the log of the server."
    hint: str = ""
    """What to do. It may use the facts too."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.hint = self.hint.format(**facts)
        super().__init__(self.sentence.format(**facts))

    @property
    def detail(self) -> str:
        return str(self)

    @property
    def reason(self) -> str:
        """What the step that failed says, where the run says what came of it; empty where both say the same."""
        return ""
