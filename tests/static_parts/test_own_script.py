"""Our one script: sixty lines that a person can read, and no words of its own."""

from __future__ import annotations

import re
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js"
LINES, CHARACTERS = 60, 130


def test_there_is_one_script_of_sixty_lines_none_of_them_long() -> None:
    (script,) = SCRIPTS.iterdir()
    lines = script.read_text(encoding="utf-8").splitlines()

    assert script.name == "app.js"
    assert len(lines) <= LINES
    assert [line for line in lines if len(line) > CHARACTERS] == []
    assert [line for line in lines if line.count(";") > 3] == [], "several statements pressed into one line"


def test_it_says_nothing_itself_so_that_there_is_nothing_to_translate() -> None:
    code = re.sub(r"^\s*//.*$", "", (SCRIPTS / "app.js").read_text(encoding="utf-8"), flags=re.MULTILINE)
    quoted = re.findall(r"""'([^']*)'""", code)

    assert [text for text in quoted if re.search(r"[a-z] [a-z]", text) and "[" not in text and ">" not in text] == []
