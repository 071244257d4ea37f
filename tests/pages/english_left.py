"""Reads a page as a person hears it, and finds what is still English on one that is meant to be Hindi."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

SPOKEN = ("title", "aria-label", "alt", "placeholder", "data-label", "data-announce", "data-copied")
VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "use", "rect", "path", "circle", "line", "polyline"})
TECHNICAL_TAGS = frozenset({"script", "style", "code", "pre"})
TECHNICAL_CLASSES = frozenset({"mono", "phrase", "ty", "json", "tree", "prev", "ids"})
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")

NAMES = frozenset({
    # products, places, units, the zone
    "Atlas", "MongoDB", "Database", "Tools", "mongodump", "TempleOps", "JSON", "BSON", "API", "HTTP", "HTTPS", "TLS",
    "URL", "UTF-8", "SHA", "SHA-256", "CSV", "IST", "Asia", "Kolkata", "KB", "MB", "GB", "TB", "B", "ms", "id", "A",
    "Apprise", "English", "Firefox", "Linux", "LOCAL", "PATH", "admin", "primary", "capped", "macOS", "mongod",
    "percent-encode", "mongos", "EACCES", "DNS", "MiB", "tls", "true", "tlsCAFile", "replicaSet", "authSource",
    "cron", "AGE-SECRET-KEY-1",
    "Transfer-Encoding", "chunked", "Content-Length", "Idempotency-Key", "STARTTLS", "submission://", "smtps://",
    # words to type
    "DELETE BOOKINGS", "RESTORE", "ADOPT", "DELETE",
})  # fmt: skip
COMMANDS = re.compile(
    "|".join((
        r'"(pip|brew) install [\w-]+"', r"pip install -r [\w-]+\.txt", r'--confirm "[A-Z ]+"',
        r"BACKUP_ENGINE=auto या python", r"manage\.py backup_keys new",
        r"manage\.py backup_(copy|remove|copies)\b( [A-Za-z-]+)*", r"manage\.py backup_fetch( [\w-]+)*",
        r"manage\.py backup_(notify list|retention accept)\b", r"manage\.py [\w-]+( --[\w-]+)*", r"--[\w-]+( \w+)?",
        r"[A-Z]+(_[A-Z]+)+(=\S+)?", r"https?://", r"mongodb(\+srv)?://\S*", r"chmod \d+", r"mkdir -p( \S+)?",
        r"mount [a-z/]+", r"/etc/fstab", r"\.\w+\b", r"metadata",
        r"\w+\.(json|bson)", r"x86_64", r"Timestamp\(0, 0\)", r"\b[a-z]*_[a-z0-9_]+\b",
        r"db\.(getSiblingDB\(.admin.\)\.)?grantRoles.*", r"rs\.status\(\)(\.set)?",
    ))
)  # fmt: skip
"""Commands, settings, addresses and names of files stand as one types them."""


class _Ear(HTMLParser):
    """Collects what is read out, except what is technical or marked as being in another language than the page."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.marked: list[str] = []
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        message = {name: value or "" for name, value in attrs}
        self.heard += [message[name] for name in SPOKEN if message.get(name)]
        if tag not in VOID:
            self._open.append((tag, self._kind(tag, message)))

    def _kind(self, tag: str, message: dict[str, str]) -> str:
        if tag in TECHNICAL_TAGS or TECHNICAL_CLASSES & set(message.get("class", "").split()):
            return "technical"
        return "english" if message.get("lang", "hi").startswith("en") and tag == "span" else ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        kinds = {kind for _, kind in self._open}
        if "technical" not in kinds and data.strip():
            (self.marked if "english" in kinds else self.heard).append(" ".join(data.split()))


def english_left(page: str, *, names: Iterable[str] = ()) -> list[str]:
    """Return every text of a Hindi page with a Latin word that is no name, no command and no JSON.

    What the page itself marks as English because nobody knows it is a sentence that is left, too.
    """
    ear = _Ear()
    ear.feed(page)
    known = NAMES | set(names)
    return sorted({text for text in (*ear.heard, *ear.marked) if set(WORD.findall(_without(text, known))) - known})


def _without(text: str, known: frozenset[str] | set[str]) -> str:
    for name in sorted((name for name in known if " " in name or not WORD.fullmatch(name)), key=len, reverse=True):
        text = text.replace(name, "")
    return COMMANDS.sub("", text)
