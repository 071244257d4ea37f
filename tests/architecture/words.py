"""The words that the project no longer uses, and where one still stands: in names, comments, docstrings and documents.

python -m tests.architecture.words
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "almanac": "generator",
    "anew": "again",
    "believe": "trust",
    "believed": "trusted",
    "believes": "trusts",
    "brake": "deletion guard",
    "household": "people and rooms",
    "judge": "decide",
    "judged": "decided",
    "judgement": "decision",
    "judges": "decides",
    "leftover": "pending",
    "leftovers": "pending",
    "loser": "replaced version",
    "losers": "replaced versions",
    "makings": "background work",
    "oddities": "edge cases",
    "oracle": "invariants",
    "passage": "sync session",
    "said": "stated, or a message",
    "settle": "apply, decide, wait or finish",
    "settled": "applied, decided or finished",
    "settler": "batch applier",
    "tallies": "counters",
    "tally": "counters",
    "tell": "report",
    "telling": "reporting",
    "tells": "says",
    "told": "reported",
    "twin": "copy",
    "twins": "copies",
    "unspeakable": "unaddressable",
    "whoever": "a subject",
    "workshop": "process pool",
}
"""Each old word with the one that replaced it."""

HISTORY = {"CHANGELOG.md"}
"""What was written about earlier releases stays as it was."""

HERE = {"tests/architecture/words.py", "tests/architecture/test_house.py"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

STORED = re.compile(r"settled_at|`settle`|leftover: \[")
"""Names of stored fields and steps, which do not change."""
_PLACE_IN_A_FILE = re.compile(r"(?<=\w)\.tell\(\)")
"""The standard library's name for the position in a file."""


@dataclass(frozen=True)
class Offence:
    """A forbidden word in a file."""

    path: str
    line: int
    word: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word} ({FORBIDDEN[self.word]})"


def offences() -> Iterator[Offence]:
    """Yield every forbidden word in the names, comments and docstrings of the code, and in the documents.

    String literals are left alone: stored documents, the API and `--json` keep their names.
    """
    for folder in ("backups_app", "templeops", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and name not in HERE:
                yield from _named(name, _spoken(path.read_text(encoding="utf-8")))
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]):
        if path.name not in HISTORY:
            yield from _named(path.name, enumerate(path.read_text(encoding="utf-8").splitlines(), 1))


def _named(name: str, lines: Iterator[tuple[int, str]] | enumerate[str]) -> Iterator[Offence]:
    for line, text in [(0, name), *lines]:
        for word in _WORD.findall(STORED.sub("", text)):
            if word.lower() in FORBIDDEN:
                yield Offence(name, line, word.lower())


def _spoken(source: str) -> Iterator[tuple[int, str]]:
    """Yield names, comments and docstrings, each with its line."""
    docstrings = _docstring_lines(source)
    source = _PLACE_IN_A_FILE.sub("", source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NAME, tokenize.COMMENT):
            yield token.start[0], token.string
        elif token.type == tokenize.STRING and token.start[0] in docstrings:
            yield from enumerate(token.string.splitlines(), token.start[0])


def _docstring_lines(source: str) -> set[int]:
    """Return the lines where a string stands alone: docstrings, and what follows a constant or a field."""
    return {
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def main() -> None:
    """Print how often each word stands where, then every place."""
    found = list(offences())
    for word, count in Counter(one.word for one in found).most_common():
        print(f"{word:14} {count}")
    for one in found:
        print(one)


if __name__ == "__main__":
    main()
