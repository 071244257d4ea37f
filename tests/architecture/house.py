"""The house in figures: sizes of files and functions, files in one room, circles of imports, untyped record access.

python -m tests.architecture.house
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median, quantiles

from tests.architecture import words

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "backups_app"
TEMPLATES = ROOT / "templates"
RECORD_NAMES = re.compile(r"\b(?:document|run|record|active|ended|running|restored|purge)(?:\[|\.get\()[\"']\w+")
"""How code reads a run as a bare dictionary: `document["phase"]`, `run.get("purge")`."""
LADDER = re.compile(r"\((?:\w[\w.]*\.get\([^()]*\)|metadata\.read\([^()]*(?:\([^()]*\))?\)) or \{\}\)\.get\(.*")
FILES_IN_A_ROOM = 15
VAGUE = {"of", "look", "put", "again", "proof", "written", "gone", "left", "lost", "twice", "form", "statement", "mark"}
RECORD_HOME = {
    "catalog/run/runs.py",
    "catalog/run/run_record.py",
    "catalog/run/run_parts.py",
    "catalog/run/run_writers.py",
}
OTHER_DOCUMENTS = {
    "api/conflicts.py": "versions that a sync replaced",
    "browsing/reading/opening.py": "metadata.json",
    "catalog/lease.py": "the lease",
    "catalog/purge_ledger.py": "entries of the purge ledger",
    "catalog/sync/sync_conflicts.py": "versions that a sync replaced",
    "management/commands/backup_sync.py": "versions that a sync replaced",
    "management/demo/temple.py": "bookings of the demo",
    "messages/read_back.py": "stored messages",
    "notification/content.py": "stored messages",
    "pages/shared/wording.py": "the fonts that are kept with us",
    "pages/sync/conflicts.py": "versions that a sync replaced",
    "pages/sync/replaced_versions.py": "versions that a sync replaced",
    "use_cases/syncs/conflicts.py": "versions that a sync replaced",
}
"""Modules that read documents of another kind under one of these names."""


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, what was found, and the limit (None: printed only)."""

    what: str
    found: tuple[float, ...]
    limit: tuple[float, ...] | None = None

    @property
    def holds(self) -> bool:
        return self.limit is None or all(found <= limit for found, limit in zip(self.found, self.limit, strict=True))


@cache
def sources() -> tuple[Path, ...]:
    """Return the modules of the product, without migrations and empty `__init__` files."""
    every = sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)
    return tuple(path for path in every if path.read_text(encoding="utf-8").strip())


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def spread(numbers: list[int]) -> tuple[float, float, float]:
    """Return median, p90 and maximum."""
    return median(numbers), round(quantiles(numbers, n=10)[-1]), max(numbers)


def lines_of_files() -> list[int]:
    return [len(path.read_text(encoding="utf-8").splitlines()) for path in sources()]


def lines_of_functions() -> list[int]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, functions)
    ]


def files_in_rooms(top: Path, ending: str) -> dict[str, int]:
    """Return the number of files in each folder. Django keeps migrations and commands in one folder each."""
    rooms: dict[str, int] = {}
    for path in top.rglob(f"*{ending}"):
        if path.name != "__init__.py" and "migrations" not in path.parts and "commands" not in path.parts:
            room = path.parent.relative_to(ROOT).as_posix()
            rooms[room] = rooms.get(room, 0) + 1
    return rooms


def fullest_room(top: Path, ending: str) -> tuple[int, str]:
    """Return the number of files in the fullest folder, and its name."""
    rooms = files_in_rooms(top, ending)
    room = max(rooms, key=lambda one: rooms[one])
    return rooms[room], room


def record_accesses() -> dict[str, int]:
    """Return how often each module reads a run as a bare dictionary."""
    found = {}
    for path in sources():
        name = path.relative_to(APP).as_posix()
        count = len(RECORD_NAMES.findall(path.read_text(encoding="utf-8")))
        if count and name not in RECORD_HOME | OTHER_DOCUMENTS.keys():
            found[name] = count
    return found


def ladders() -> list[str]:
    """Return where code above the stores reads a document inside a document by `(x.get(a) or {}).get(b)`."""
    return [
        f"{path.relative_to(APP).as_posix()}: {match[0]}"
        for path in sources()
        if path.relative_to(APP).parts[0] not in ("catalog", "backup_files", "mongo")
        for match in LADDER.finditer(path.read_text(encoding="utf-8"))
    ]


def classes_used_twice() -> dict[str, list[str]]:
    """Return the class names that two modules of the product define, with the modules. Commands have Django's
    name."""
    homes: dict[str, list[str]] = {}
    for path in sources():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and node.name != "Command":
                homes.setdefault(node.name, []).append(path.relative_to(APP).as_posix())
    return {name: modules for name, modules in homes.items() if len(modules) > 1}


def unnamed_functions() -> list[str]:
    """Return the functions of modules whose name is a word that does not say what they return or do."""
    return [
        f"{path.relative_to(APP).as_posix()}: {node.name}"
        for path in sources()
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and node.name.strip("_") in VAGUE
    ]


def circles() -> list[tuple[str, ...]]:
    """Return the circles of imports between modules of one room, and between rooms: each as its members."""
    arrows: dict[str, set[str]] = {}
    for path in sources():
        arrows.setdefault(_module(path), set()).update(_imported(path))
    return [tuple(sorted(group)) for group in _strongly_connected(arrows) if len(group) > 1]


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path) -> Iterator[str]:
    known = {_module(other) for other in sources()}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from names & known
            if not names & known and node.module in known:
                yield node.module


def _strongly_connected(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Return groups of modules that reach one another: by what each reaches, which is quick enough for some hundred."""
    reach: dict[str, set[str]] = {}
    for start in arrows:
        seen, todo = set(), [start]
        while todo:
            for following in arrows.get(todo.pop(), ()):
                if following not in seen:
                    seen.add(following)
                    todo.append(following)
        reach[start] = seen
    groups = {
        frozenset(one for one in reach[start] if start in reach[one]) for start in arrows if start in reach[start]
    }
    return [set(group) for group in groups]


def rows() -> list[Row]:
    """Return the table."""
    python, room = fullest_room(APP, ".py")
    pages, templates_room = fullest_room(TEMPLATES, ".html")
    accesses = record_accesses()
    return [
        Row("lines per file, median / p90 / max", spread(lines_of_files()), (110, 200, 300)),
        Row("lines per function, median / p90 / max", spread(lines_of_functions()), (9, 30, 50)),
        Row(f"modules in the fullest room ({room})", (python,), (FILES_IN_A_ROOM,)),
        Row(f"templates in the fullest room ({templates_room})", (pages,), (FILES_IN_A_ROOM,)),
        Row("circles of imports", (len(circles()),), (0,)),
        Row("forbidden words", (len(list(words.offences())),), (0,)),
        Row("functions with a vague name", (len(unnamed_functions()),), (0,)),
        Row("class names used twice", (len(classes_used_twice()),), (0,)),
        Row("documents read inside documents above the stores", (len(ladders()),), (0,)),
        Row(f"bare accesses to a run, in {len(accesses)} modules", (sum(accesses.values()),), (0,)),
    ]


def main() -> None:
    """Print the table."""
    for row in rows():
        limit = "" if row.limit is None else f"   at most {' / '.join(f'{number:g}' for number in row.limit)}"
        print(f"{row.what:60} {' / '.join(f'{number:g}' for number in row.found):>16}{limit}")


if __name__ == "__main__":
    main()
