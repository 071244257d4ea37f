"""Every sentence that errors, runs and operations say has its Hindi in `records.po`, compiled as it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from backups_app import errors
from backups_app.errors import TempleOpsError
from backups_app.pages.shared.told import PLACE, entries_of
from backups_app.runs import lost_messages

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "backups_app"
HINDI = ROOT / "templates" / "locale" / "hi" / "LC_MESSAGES"
ENTRY = re.compile(r'^msgid "(.*)"\nmsgstr "(.*)"$', re.MULTILINE)
DEVANAGARI = re.compile("[ऀ-ॿ]")
WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z{]|\} [a-z]{2,}")
LETTERS = re.compile(r"[A-Za-z]{3,}")

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
    "use_cases/doctor.py": "backup_doctor alone says it",
    "mongo/refusal_signs.py": "words by which a failure is recognised",
    "mongo/embedded.py": "servers of the demo and the tests",
    "mongo/mongodump_process.py": "a program for a child process",
    "backup_files/extended_json.py": "JSON is JSON in every language",
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
    # how a tie, and a database in other capital letters, is recognised
    "a tie, local wins", r"already have: \[(.+?)\]",
    # names of fields
    "{}{}{}",
}  # fmt: skip
PUT_TOGETHER = {
    # What the code joins of pieces, as the whole sentences that come of it.
    "{noun} is running": ["Restore is running", "Test copy is running", "Rehearsal is running"],
    "{noun} failed. {said}": ["Restore failed. {}", "Test copy failed. {}", "Rehearsal failed. {}"],
    "{noun} completed: {}.{safe}": ["Restore completed: {}.", "Test copy completed: {}.", "Rehearsal completed: {}."],
    "{noun} did not do everything: {}{safe}": ["Restore did not do everything: {}"],
    "Stopped by {by}. {safe}.": ["Stopped by {}."],
    "The sync before it {}. {KEPT}": [],
    "Before that, this sync {}. {KEPT} The next sync goes on from there.": ["The next sync goes on from there."],
    "pulled {pulled} and pushed {pushed} documents": [
        "The sync before it pulled {} and pushed {} documents.",
        "Before that, this sync pulled {} and pushed {} documents."],
    "pulled {pulled} and pushed {pushed} documents, and deleted {here} on this computer and {there} on Atlas": [
        "The sync before it pulled {} and pushed {} documents, and deleted {} on this computer and {} on Atlas.",
        "Before that, this sync pulled {} and pushed {} documents, and deleted {} on this computer and {} on Atlas."],
    "How much the sync before it had changed is not on record. {KEPT}": [
        "How much the sync before it had changed is not on record."],
    "{noun} cancelled. {}": ["Restore cancelled. {}", "Test copy cancelled. {}", "Rehearsal cancelled. {}"],
    "; {} changed meanwhile and kept": ["Deleted: {}; {} changed meanwhile and kept"],
    "Deleted: {}{note}": ["Deleted: {}", "Deleted: nothing"],
    "Deleted: {}{note}. Withheld: {reasons}": ["Deleted: {}. Withheld: {}", "Deleted: nothing. Withheld: {}"],
    "{} document{}": ["{} document", "{} documents"],
    "{conflicts} conflict{}": ["{} conflict", "{} conflicts"],
    "tie: local won": ["{} tie: local won"],
    "ties: local won": ["{} ties: local won"],
    "collection left out": ["{} collection left out"],
    "collections left out": ["{} collections left out"],
    "Not brought together as a whole: {}{more}.": ["Not brought together as a whole: {}."],
    " and {} more": ["Not brought together as a whole: {} and {} more."],
    "subtype {subtype}, {length} byte{}: {digits}": ["subtype {}, {} byte: {}", "subtype {}, {} bytes: {}"],
    "mongodump {how}{}": ["mongodump ended with code {}: {}", "mongodump was ended by signal {}: {}"],
    "was ended by signal {}": ["mongodump was ended by signal {}"],
    "ended with code {}": ["mongodump ended with code {}"],
    "The built-in engine": ["The built-in engine did not finish within {} seconds. Raise "
                            "MONGODUMP_TIMEOUT_SECONDS or set BACKUP_ENGINE=python."],
    "{database}/{name} is a link or no plain file": ["{} is a link or no plain file"],
    "{base}{suffix} is there twice, plain and compressed": ["{} is there twice, plain and compressed"],
    "{relative} is damaged: {} ({place})": ["{} is damaged: {} (document {}, byte {})"],
    "document {}, byte {}": ["{} is damaged: {} (document {}, byte {})"],
    "{what} could not be checked beforehand.": ["The validation rule could not be checked beforehand."],
    'The unique index "{name}"': ['The unique index "{}" could not be checked beforehand.'],
    'Some documents with lists under the unique index "{}"': [
        'Some documents with lists under the unique index "{}" could not be checked beforehand.'],
    "The validation rule for documents with two fields of one name": [
        "The validation rule for documents with two fields of one name could not be checked beforehand."],
    "The validation rule": ["The validation rule could not be checked beforehand."],
    "a unique index": ["another document has the same value of a unique index, which must be unique"],
    '"{}" was not there before: {STAYS_EMPTY}.': [
        '"{}" was not there before: its documents are removed, the collection itself stays.',
    ],
    '"{}" was not there before: {}.': [
        '"{}" was not there before: its documents are removed, the collection itself stays.'],
    "the same": ["{} the same"],
    "kept in their own version": ["{} kept in their own version"],
    "edited meanwhile and kept": ["{} edited meanwhile and kept"],
    "not added: a unique value is taken": ["{} not added: a unique value is taken"],
    "refused by the server": ["{} refused by the server"],
    "not as planned afterwards": ["{} not as planned afterwards"],
    "Test copy": ["Test copy is running"],
    "The backup is complete and safe, but ": [],  # taken out of a record, never said
    "test copy": [],
    "{size} {word}{}": [],
}  # fmt: skip
COMMANDS = re.compile(r"(manage\.py \w+|--confirm .+|\w+=\S+)")


def shape(text: str) -> str:
    """`{n} documents` and `{count} documents` are one sentence; what ends it is added by the one who says it."""
    return PLACE.sub("{}", text.replace("{{", "{").replace("}}", "}")).strip(" .;")


def known() -> dict[str, str]:
    return dict(entries_of((HINDI / "records.mo").read_bytes()))


def said_in(path: Path) -> Iterator[str]:
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
    return docstring or logged or isinstance(node, ast.Assert)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(str(piece.value) if isinstance(piece, ast.Constant) else _place(piece) for piece in node.values)


def _place(piece: ast.expr) -> str:
    name = ast.unparse(piece.value) if isinstance(piece, ast.FormattedValue) else ""
    return "{" + name + "}" if name.isidentifier() else "{}"


def kinds_of_errors(kind: type[TempleOpsError] = TempleOpsError) -> Iterator[type[TempleOpsError]]:
    yield kind
    for more in kind.__subclasses__():
        yield from kinds_of_errors(more)


def test_every_error_has_its_hindi_and_so_has_its_hint() -> None:
    shapes = {shape(english) for english in known()}
    said = [
        (kind.code, text)
        for kind in kinds_of_errors()
        if kind.__module__.startswith(f"{errors.__name__}.")
        for text in (kind.sentence, kind.hint)
        if LETTERS.search(PLACE.sub("", text)) and not COMMANDS.fullmatch(text)
    ]

    assert [(code, text) for code, text in said if not _is_known(shape(text), shapes)] == []


def test_what_is_left_of_an_error_when_its_backup_is_lost_has_its_hindi() -> None:
    shapes = {shape(english) for english in known()}
    left = {kind.sentence: lost_messages.without_claim(kind.sentence) for kind in kinds_of_errors()}
    shortened = [short for whole, short in left.items() if short != whole]

    assert len(shortened) >= 3
    assert [short for short in shortened if shape(short) not in shapes] == []


def test_every_sentence_of_runs_and_operations_has_its_hindi() -> None:
    """Red after a new sentence: write its Hindi in records.po. (A sentence nobody sees on a page is named above.)"""
    shapes = {shape(english) for english in known()}
    missing = [
        f"{path.relative_to(APP)}: {text}"
        for room in SPEAKING_ROOMS
        for path in sorted((APP / room).rglob("*.py"))
        if str(path.relative_to(APP)) not in NEVER_ON_A_PAGE
        for text in said_in(path)
        if shape(text) not in {shape(one) for one in NO_SENTENCES}
        for whole in PUT_TOGETHER.get(text, [text])
        if not _is_known(shape(whole), shapes)
    ]

    assert missing == []


def _is_known(said: str, shapes: set[str]) -> bool:
    """Itself, or as the sentences it consists of; a command at the end stands as a place in the catalogue."""
    command = re.sub(r"db\.getSiblingDB\(\"admin\"\)\.grantRolesToUser\(.*", "{}", said)
    return said in shapes or command in shapes or all(shape(one) in shapes for one in re.split(r"(?<=\.) ", said))


def test_every_hindi_sentence_fills_the_same_places_and_is_hindi() -> None:
    places = {english: (set(PLACE.findall(english)), set(PLACE.findall(hindi))) for english, hindi in known().items()}
    names = {"remote", "{word}: {said}", "Code with scope", "api"}

    assert [english for english, (here, there) in places.items() if english and here != there] == []
    assert {text for text, hindi in known().items() if text and not DEVANAGARI.search(hindi)} == names


def test_what_is_compiled_is_what_is_written() -> None:
    written = {
        ast.literal_eval(f'"{text}"'): ast.literal_eval(f'"{hindi}"')
        for text, hindi in ENTRY.findall((HINDI / "records.po").read_text(encoding="utf-8"))
        if text
    }

    assert written == {text: hindi for text, hindi in known().items() if text}
