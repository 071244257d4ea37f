"""What the documents promise is there."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from backups_app.access import demo_people as people
from backups_app.runs import pipelines
from tests.architecture import words

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PRESENT = [path for path in DOCUMENTS if path.name not in words.HISTORY]
COMMANDS = {path.stem for path in (ROOT / "backups_app" / "management" / "commands").glob("[a-z]*.py")}
SPAN = re.compile(r"`(([a-z_]+(?:/[a-z_]+)+)(?:\.(\w+))?(?:\.\w+)*/?)`")
"""A module or a folder as a document names it, perhaps with one of its names."""
ENDINGS = ("", ".py", ".html", ".md")
NAMED = re.compile(r"\b[a-z_]+\.md\b")
DJANGOS = {"migrate", "createsuperuser", "check", "compilemessages", "help", "dumpdata", "loaddata", "changepassword"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_calls_exists(path: Path) -> None:
    called = set(re.findall(r"manage\.py ([a-z_]+)", path.read_text(encoding="utf-8")))

    assert called - COMMANDS - DJANGOS == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    links = re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PRESENT, ids=lambda path: path.name)
def test_every_module_that_a_document_names_exists(path: Path) -> None:
    assert [span for span, *named in SPAN.findall(path.read_text(encoding="utf-8")) if not exists(*named)] == []


def exists(module: str, name: str) -> bool:
    """Return whether there is such a module or folder, and the name in it."""
    places = [root / f"{module}{ending}" for root in (ROOT, ROOT / "backups_app") for ending in ENDINGS]
    there = [place for place in places if place.exists()]
    if f".{name}" in ENDINGS:
        return any(place.suffix == f".{name}" for place in there)
    if not name:
        return bool(there)
    return any(re.search(rf"\b{name}\b", place.read_text(encoding="utf-8")) for place in there if place.is_file())


def test_architecture_names_every_room_inside_a_room() -> None:
    rooms = {path.parent for path in (ROOT / "backups_app").glob("*/*/__init__.py")}
    listed = re.findall(r"^\| `([a-z_]+/[a-z_]+)/` \|", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.M)

    assert sorted(listed) == sorted(path.relative_to(ROOT / "backups_app").as_posix() for path in rooms)


def test_architecture_names_every_step_of_a_run() -> None:
    one_run = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## One run")[2]

    modules = [cast("ModuleType", step).__name__.rpartition(".")[2] for step in pipelines.STEPS]
    assert [module for module in modules if module not in one_run] == []


def test_every_document_that_the_code_names_exists() -> None:
    sources = [path for folder in ("backups_app", "templeops") for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in sources for name in NAMED.findall(path.read_text(encoding="utf-8"))}

    assert named - {path.name for path in DOCUMENTS} == set()


def test_the_readme_knows_the_demo_s_people() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for username, _, role_id in people.PEOPLE:
        assert re.search(rf"`{username}` \| `{people.known_password(username)}` \| .*\({role_id}\)", readme)


def test_operations_explains_every_setting() -> None:
    names = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert {name for name in names if f"`{name}`" not in operations} == set()


def test_operations_names_every_command() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert {command for command in COMMANDS if f"`{command}" not in operations} == set()


def test_make_prints_what_each_target_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)

    assert phony is not None
    assert {target for target in phony[1].split() if not re.search(rf"^{target}:.*  ## ", makefile, re.M)} == set()
