"""What the product says is declared once, in `messages/` and `errors/`, and each sentence has its Hindi."""

from __future__ import annotations

import ast
import gettext
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups_app import errors, messages
from backups_app.errors import TempleOpsError
from backups_app.messages.message import PLACE, Sentence, by_code
from backups_app.runs import declarations

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "backups_app"
HINDI = ROOT / "templates" / "locale" / "hi" / "LC_MESSAGES"
DEVANAGARI = re.compile("[ऀ-ॿ]")
WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z{]|\} [a-z]{2,}")
LETTERS = re.compile(r"[A-Za-z]{2,}")
COMMANDS = re.compile(r"(manage\.py [\w -]+|--confirm .+|[A-Z_]+=\S+|mongodb://.+)")
NAMES = frozenset({"remote", "{browser} on {system}", "{collection} {n}", "{collection}: {reason}", "api"})
"""Whose Hindi is a name, or only another order of names."""

SPEAKING_ROOMS = (
    "use_cases",
    "runs",
    "sync",
    "dump",
    "purge",
    "verification",
    "restore",
    "browsing",
    "backup_files",
    "mongo",
)
NEVER_ON_A_PAGE = {
    "use_cases/doctor/doctor.py": "backup_doctor alone says it",
    "use_cases/doctor/doctor_looks.py": "backup_doctor alone says it",
    "use_cases/doctor/site_looks.py": "backup_doctor alone says it",
    "mongo/refusals/refusal_signs.py": "words by which a failure is recognised",
    "mongo/embedded.py": "servers of the demo and the tests",
    "mongo/mongodump_process.py": "a program for a child process",
    "backup_files/shown/extended_json.py": "JSON is JSON in every language",
    "backup_files/shown/json_values.py": "JSON is JSON in every language",
}
NO_SENTENCES = {
    # words by which mongodump's own output is recognised, and an option of a URL
    "failed to connect", "server selection error", "auth error", "could not connect", "not authorized", "no space left",
    "auth error|AuthenticationFailed|MechanismUnavailable", "requires authentication",
    "no such host|server misbehaving|: lookup ", "The server was given up",
    "disk quota", "more space", "permission denied", "read-only file system", r"done dumping (.+) \((\d+) documents?\)",
    "authSource={}", '"indexes":[{}]',
    # technical: of the log, of a database's marker, of commands
    "{}: read {} documents on the {} side", "a copy made by TempleOps; it may be dropped", "chmod {}", "code {}",
    "built-in, pymongo {}",
    # how a database in other capital letters is recognised
    r"already have: \[(.+?)\]",
    # names and values that stand as they are: an actor, a purpose, a way of detection, values of documents, `_id`s
    "schedule {}", "test copy",
    "scan and stream", "absent from {}", "Code with scope", "unknown type {}",
    "{} ms since 1970", "subtype {subtype}, {length} byte{}: {digits}", "not a BSON value",
    "an _id of {} bytes, SHA-256 {}", "a document without an _id",
    # taken out of a record from before codes, never stated
    "The backup is complete and safe, but", "The backup is complete and safe",
    # names of fields
    "{}{}{}",
}  # fmt: skip


def shape(text: str) -> str:
    """`{n} documents` and `{count} documents` are one sentence."""
    return PLACE.sub("{}", text).strip(" .;")


def stated_in(path: Path) -> Iterator[str]:
    """Every string of a module that reads like a sentence, docstrings, log and assertions left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(inner) for node in ast.walk(tree) if _is_silent(node) for inner in ast.walk(node)}
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    for node in ast.walk(tree):
        if id(node) not in silent and id(node) not in pieces:
            text = _text(node)
            if WORDS.search(text) and "\n" not in text:
                yield text


def _is_silent(node: ast.AST) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    logged = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.")
    title = isinstance(node, ast.Call) and ast.unparse(node.func) == "gettext_noop"  # tested below
    return docstring or logged or title or isinstance(node, ast.Assert)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(str(piece.value) if isinstance(piece, ast.Constant) else _place(piece) for piece in node.values)


def _place(piece: ast.expr) -> str:
    name = ast.unparse(piece.value) if isinstance(piece, ast.FormattedValue) else ""
    return "{" + name + "}" if name.isidentifier() else "{}"


def declared() -> list[Sentence]:
    """Return every sentence that says something in words: no command, and not only places."""
    for module in pkgutil.walk_packages(messages.__path__, f"{messages.__name__}."):
        importlib.import_module(module.name)
    assert errors.by_code()
    sentences = [one for one in by_code().values() if not one.code.startswith("test_")]
    return [one for one in sentences if LETTERS.search(PLACE.sub("", one.one)) and not COMMANDS.fullmatch(one.one)]


@pytest.fixture(scope="module")
def hindi() -> gettext.GNUTranslations:
    with (HINDI / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def test_every_sentence_has_its_hindi_in_singular_and_plural(hindi: gettext.GNUTranslations) -> None:
    """Red after a new sentence: write its Hindi in django.po, and compile."""
    one = {
        sentences.code
        for sentences in declared()
        if not sentences.many and hindi.gettext(sentences.one) == sentences.one
    }
    many = {
        sentences.code
        for sentences in declared()
        if sentences.many and hindi.ngettext(sentences.one, sentences.many, 2) == sentences.many
    }

    assert one | many == set()
    assert len(declared()) > 400


def test_every_hindi_sentence_fills_the_same_places(hindi: gettext.GNUTranslations) -> None:
    wrong = [
        sentences.code
        for sentences in declared()
        for n in (1, 2)
        if set(PLACE.findall(_in_hindi(hindi, sentences, n)))
        != set(PLACE.findall(sentences.many if n == 2 and sentences.many else sentences.one))
    ]

    assert wrong == []


def test_the_hindi_is_hindi(hindi: gettext.GNUTranslations) -> None:
    latin = {sentences.one for sentences in declared() if not DEVANAGARI.search(_in_hindi(hindi, sentences, 2))}

    assert latin - NAMES == set()


def _in_hindi(hindi: gettext.GNUTranslations, sentences: Sentence, n: int) -> str:
    return hindi.ngettext(sentences.one, sentences.many, n) if sentences.many else hindi.gettext(sentences.one)


def test_no_room_writes_a_sentence_of_its_own() -> None:
    """Red after a sentence in a room: declare it in `messages/`, with a code. (What nobody reads is named above.)"""
    known = {shape(one) for one in NO_SENTENCES}
    own = [
        f"{path.relative_to(APP)}: {text}"
        for room in SPEAKING_ROOMS
        for path in sorted((APP / room).rglob("*.py"))
        if str(path.relative_to(APP)) not in NEVER_ON_A_PAGE
        for text in stated_in(path)
        if shape(text) not in known
    ]

    assert own == []


def test_every_title_of_a_step_has_its_hindi(hindi: gettext.GNUTranslations) -> None:
    titles = {step.TITLE for step in declarations.every_step()}

    assert len(titles) > 5
    assert {title for title in titles if not DEVANAGARI.search(hindi.gettext(title))} == set()


def kinds_of_errors(kind: type[TempleOpsError] = TempleOpsError) -> Iterator[type[TempleOpsError]]:
    """Yield every named failure."""
    yield kind
    for more in kind.__subclasses__():
        yield from kinds_of_errors(more)
