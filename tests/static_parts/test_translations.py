"""Every sentence of the pages has its Hindi with the same places to fill in; `django.mo` is what `django.po` says."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
HINDI = ROOT / "templates" / "locale" / "hi" / "LC_MESSAGES"
PLACE = re.compile(r"%\(\w+\)s")
CALL = re.compile(r"""\b(gettext|ngettext)\(u?((?:'(?:\\.|[^'])*')|(?:"(?:\\.|[^"])*"))""")
ENTRY = re.compile(r'^msgid "(.*)"\n(?:msgid_plural ".*"\n)?(?:msgstr|msgstr\[0\]) "(.*)"$', re.MULTILINE)


def compiled() -> dict[str, str]:
    with (HINDI / "django.mo").open("rb") as file:
        found = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key[0] if isinstance(key, tuple) else key: text for key, text in reversed(found.items())}


def stated_by_templates() -> Iterator[str]:
    for path in (ROOT / "templates").rglob("*.html"):
        for _, text in CALL.findall(templatize(path.read_text(encoding="utf-8"))):
            yield ast.literal_eval(text)


def stated_by_code() -> Iterator[str]:
    for path in (ROOT / "backups_app" / "pages").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in (
                "_", "gettext_lazy", "ngettext",
            ) and isinstance(node.args[0], ast.Constant):  # fmt: skip
                yield str(node.args[0].value)


def test_every_sentence_has_its_hindi() -> None:
    known = compiled()

    missing = sorted({text for text in (*stated_by_templates(), *stated_by_code()) if not known.get(text)})

    assert missing == []


def test_the_same_places_are_filled_in() -> None:
    wrong = [
        text for text, hindi in compiled().items() if text and set(PLACE.findall(text)) != set(PLACE.findall(hindi))
    ]

    assert wrong == []


def test_what_is_compiled_is_what_is_written() -> None:
    written = {
        ast.literal_eval(f'"{text}"'): ast.literal_eval(f'"{hindi}"')
        for text, hindi in ENTRY.findall((HINDI / "django.po").read_text(encoding="utf-8"))
        if text
    }

    assert written == {text: hindi for text, hindi in compiled().items() if text}


def test_one_is_stated_in_the_singular_and_many_in_the_plural() -> None:
    with (HINDI / "django.mo").open("rb") as file:
        found = gettext.GNUTranslations(file)

    sentences = [found.ngettext("%(n)s entry", "%(n)s entries", n) for n in (0, 1, 2, 22)]

    assert sentences == ["%(n)s प्रविष्टि", "%(n)s प्रविष्टि", "%(n)s प्रविष्टियाँ", "%(n)s प्रविष्टियाँ"]
