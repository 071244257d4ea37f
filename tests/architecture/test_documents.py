"""What the documents promise is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backups_app.access import demo_people as people

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
COMMANDS = {path.stem for path in (ROOT / "backups_app" / "management" / "commands").glob("[a-z]*.py")}
DJANGOS = {"migrate", "createsuperuser", "check", "compilemessages", "help", "dumpdata", "loaddata", "changepassword"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_calls_exists(path: Path) -> None:
    called = set(re.findall(r"manage\.py ([a-z_]+)", path.read_text(encoding="utf-8")))

    assert called - COMMANDS - DJANGOS == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    links = re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


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
