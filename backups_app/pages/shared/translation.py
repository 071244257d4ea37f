"""Messages in the language of the page.

A message is rendered again from its code and facts. A text without a code (a foreign folder's, a record's from before
codes, the words of a server) is shown as it is; on a page in another language it is marked as English.
"""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from backups_app.messages.message import PLAIN, Message, Sentence, render
from backups_app.messages.words import DEVICE, DEVICE_UNKNOWN

register = template.Library()

ENGLISH, END = "\u2068", "\u2069"
"""Around what stays English. They show nothing themselves: they isolate a run of text from the one around it."""
MARKED = re.compile(f"{ENGLISH}([^{ENGLISH}{END}]*){END}")

TYPES = {
    "collection": gettext_lazy("collection"),
    "view": gettext_lazy("view"),
    "timeseries": gettext_lazy("timeseries"),
}


@register.filter(name="message_text")
def translated(text: str | None) -> str:
    """Return a message in the language of the page, as plain text."""
    if isinstance(text, Message) and text.code != PLAIN:
        return render(text, translate=in_page_language)
    stated = str(text or "")
    return stated if not stated or (get_language() or "en").startswith("en") else f"{ENGLISH}{stated}{END}"


@register.filter(name="message")
def translated_html(text: str | None) -> SafeString:
    """Return a message in the language of the page, as HTML."""
    return as_html(translated(text))


@register.filter
def as_html(text: str) -> SafeString:
    """Return what `translated` gave, alone or among words of the page, as HTML: what stays English is marked."""
    return mark_safe(MARKED.sub(r'<span lang="en">\1</span>', escape(text)))  # noqa: S308  (escaped before)


@register.filter
def type_name(name: str) -> str:
    """Return the word for a type of collection; a type that is not known here as it is."""
    return str(TYPES.get(name, name))


@register.filter
def device(name: str) -> str:
    """Return the device of a session, recorded as `Firefox on Linux`."""
    browser, known, system = name.partition(" on ")
    if not known:
        return name
    return translated(
        DEVICE_UNKNOWN(browser=browser) if system == "unknown" else DEVICE(browser=browser, system=system)
    )


def in_page_language(sentence: Sentence, n: int | None) -> str:
    """Return a sentence with its places in the language of the page."""
    if sentence.many and n is not None:
        return ngettext(sentence.one, sentence.many, n)
    return gettext(sentence.one)
