"""Every stack of fonts begins with those that we ship for the scripts of India, and these touch nothing else."""

from __future__ import annotations

import re

from tests.static_parts import vendor

SHEETS = vendor.VENDOR.parent / "css"
JOINERS_AND_CIRCLE = {0x200C, 0x200D, 0x25CC, 0x262C}
FIRST_INDIAN = 0x0900


def _faces() -> dict[str, str]:
    sheet = (SHEETS / "fonts.css").read_text()
    found = re.findall(r'font-family: "([^"]+)";.*?unicode-range: ([^;]+);', sheet, flags=re.DOTALL)
    return {name: ranges for name, ranges in found if name.startswith("Noto Sans")}


def test_every_script_has_its_face_and_its_place_in_the_stacks() -> None:
    tokens = (SHEETS / "tokens.css").read_text()

    assert [name.removeprefix("Noto Sans ").lower() for name in _faces()] == list(vendor.SCRIPTS)
    named = re.search(r"--indian: ([^;]+);", tokens)
    assert named and re.findall(r'"([^"]+)"', named[1]) == list(_faces())
    for stack in ("--font", "--mono"):
        assert f"{stack}: var(--indian), " in tokens


def test_no_indian_font_is_fetched_for_a_letter_of_another_script() -> None:
    for name, ranges in _faces().items():
        codes = [[int(end, 16) for end in one.strip()[2:].split("-")] for one in ranges.split(",")]
        assert all(first >= FIRST_INDIAN for first, *_ in codes), name
        common = {code for first, *last in codes for code in (first, *last) if 0x2000 <= code < 0xA000}
        assert common - {0x20F0} <= JOINERS_AND_CIRCLE, name


def test_no_sheet_has_a_stack_of_its_own() -> None:
    for sheet in SHEETS.glob("*.css"):
        if sheet.name not in ("fonts.css", "tokens.css"):
            named = re.findall(r"(?:font-family|font): ([^;]+);", sheet.read_text())
            assert [one for one in named if not re.search(r"var\(--(font|mono)\)|^inherit$", one)] == [], sheet.name
