"""A message in one language: subject, plain text, HTML. Whatever stands in a fact, it stays one piece of text.

Titles become headers (of e-mails, of some services), so a title is one line without control characters, and without
`=?`, which mail programs decode. HTML is escaped by the templates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from backups_app.access.secrecy.redaction import scrub
from backups_app.messages import message
from backups_app.messages.message import Message, Sentence
from backups_app.notification.content import Content, Fact

LONGEST_TITLE, LONGEST_LINE = 150, 2_000
KEPT_CONTROLS = frozenset("\n\t")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LOUD = frozenset({"failed", "rehearsal_failed", "copy_failed", "overdue"})
CALM = frozenset({"success", "recovered", "test"})


@dataclass(frozen=True, kw_only=True)
class Worded:
    """A message as it is sent."""

    title: str
    text: str
    html: str


def worded(content: Content, *, kind: str, language: str, site_url: str, reason: str = "mail") -> Worded:
    """Render a message. `site_url` is where this site is reached, for the links; empty: no links. `reason` says in the
    footer why it comes: `mail` (chosen on the page) or `service` (NOTIFY_URLS)."""
    with translation.override(language):
        title = one_line(f"[{gettext('Temple backups')}] {message_text(content.title)}")
        context: Mapping[str, Any] = {
            "title": one_line(message_text(content.title)),
            "lines": [several_lines(message_text(line)) for line in content.lines],
            "facts": [(one_line(message_text(label)), one_line(_value(value))) for label, value in content.facts],
            "link": f"{site_url}{content.path}" if site_url and content.path else "",
            "settings_link": f"{site_url}/admin/backups/notifications/" if site_url else "",
            "level": "bad" if kind in LOUD else "ok" if kind in CALM else "warn",
            "reason": reason,
            "language": language,
        }
        return Worded(
            title=title,
            text=render_to_string("mail/message.txt", context).strip() + "\n",
            html=render_to_string("mail/message.html", context),
        )


def one_line(text: str) -> str:
    """Return the text as a header may hold it."""
    clean = " ".join("".join(" " if _is_control(sign) else sign for sign in scrub(text)).split())
    while "=?" in clean:
        clean = clean.replace("=?", "= ?")
    return clean if len(clean) <= LONGEST_TITLE else f"{clean[: LONGEST_TITLE - 1]}…"


def several_lines(text: str) -> str:
    """Return the text without control characters other than line breaks, and not endless."""
    clean = "".join(" " if _is_control(sign) and sign not in KEPT_CONTROLS else sign for sign in scrub(text))
    return clean if len(clean) <= LONGEST_LINE else f"{clean[: LONGEST_LINE - 1]}…"


def translate(sentence: Sentence, n: int | None) -> str:
    """Return a sentence with its places in the language in force."""
    if sentence.many and n is not None:
        return ngettext(sentence.one, sentence.many, n)
    return gettext(sentence.one)


def message_text(stated: str) -> str:
    """Return a message in the language in force; a text without a code as it is."""
    return message.render(stated, translate=translate) if isinstance(stated, Message) else stated


def _value(value: Fact) -> str:
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        return f"{date_format(local, 'j M Y, H:i')} {local.tzname()}"
    return message_text(value)


def _is_control(sign: str) -> bool:
    """Control characters, line separators, and marks that turn the direction of what follows."""
    return (
        unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs")
        or sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
