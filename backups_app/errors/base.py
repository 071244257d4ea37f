"""What every named failure has: a code, an HTTP status, an exit code, a sentence and a hint."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from backups_app.messages import words
from backups_app.messages.message import Message, Sentence, by_code

WORD_BEGINS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class TempleOpsError(Exception):
    """Base of all named failures."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    sentence: ClassVar[str] = "Something went wrong. Look at the log of the server."
    hint: str = ""
    """What to do. It may use the facts too."""

    kinds: ClassVar[int] = 0
    """How many failures were declared."""
    declared: ClassVar[Sentence]
    declared_hint: ClassVar[Sentence]
    """`sentence` and `hint` as sentences of the catalogue."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        TempleOpsError.kinds += 1
        _declare(cls)

    def __init__(self, **facts: Any) -> None:
        """`side` is `local` or `remote`."""
        self.facts = facts
        shown = {**facts, "side": words.side(facts["side"])} if "side" in facts else facts
        self.detail = _message(self.declared, shown)
        self.hint = _message(self.declared_hint, shown) if self.declared_hint.one else ""
        super().__init__(self.detail)

    def as_json(self) -> dict[str, Any]:
        """Return code, detail and hint, as `--json` and the API show a failure."""
        return {"code": self.code, "detail": self.detail, "hint": self.hint}

    @property
    def reason(self) -> str:
        """What the step that failed says, where the run says what came of it; empty where both say the same."""
        return ""


def _message(sentence: Sentence, facts: dict[str, Any]) -> Message:
    """Return the message with the facts it shows, and no other one: a record holds them."""
    return sentence(**{name: fact for name, fact in facts.items() if name in sentence.places})


def _declare(kind: type[TempleOpsError]) -> None:
    """Declare the sentences of a class. Its message's code is the class's own code, or its name where an earlier class
    has that code."""
    own = vars(kind)
    name = WORD_BEGINS.sub("_", kind.__name__).lower()
    if "sentence" in own:
        kind.declared = _sentence(str(own.get("code", name)), name, kind.sentence)
    if "hint" in own:
        kind.declared_hint = _sentence(f"{own.get('code', name)}_hint", f"{name}_hint", kind.hint)


def _sentence(code: str, otherwise: str, text: str) -> Sentence:
    taken = by_code().get(code)
    return Sentence(otherwise if taken is not None and taken.one != text else code, text)


_declare(TempleOpsError)
