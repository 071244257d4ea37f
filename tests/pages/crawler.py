"""Follows every link of the pages, and every address that htmx would ask for, as one person with a browser."""

from __future__ import annotations

import functools
import re
from collections import deque
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.test import Client
from django.urls import URLPattern, resolve

from backups_app.pages import urls
from tests.security.matrix import PAGES

LINK = re.compile(r'(?:<a\b[^>]*\shref|\shx-get)="([^"]*)"')
ASKED_BY_HTMX = re.compile(r'\shx-get="([^"]*)"')
DISTINGUISHED_BY = ("collection", "view", "kind", "step", "mode")
"""What makes two addresses of one view two pages; of those that differ in anything else, some are enough."""
OF_ONE_KIND = 2
FAULT = 500


@dataclass
class Crawl:
    """What was visited: the addresses by kind, and those that failed with their status."""

    visited: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    failed: list[tuple[int, str]] = field(default_factory=list)

    @property
    def collections(self) -> set[tuple[str, str]]:
        """Which view of which collection was opened."""
        named = {"collection": "", "view": "cards"}
        asked = [named | dict(parse_qsl(urlsplit(one).query)) for kind in self.visited.values() for one in kind]
        return {(one["collection"], one["view"]) for one in asked if one["collection"]}


def pages_without_id() -> list[str]:
    """Return the names of the pages whose address has no place to fill in."""
    addresses = {str(one.name): str(one.pattern) for one in urls.urlpatterns if isinstance(one, URLPattern)}
    return sorted(name for name, method in PAGES if method == "GET" and "<" not in addresses[name])


def crawl(browser: Client, *, start: str) -> Crawl:
    """Given where to begin, visit whatever is linked from there. A fault of the server is noted, not raised."""
    browser.raise_request_exception = False
    found, waiting = Crawl(), deque([(start, False)])
    while waiting:
        address, by_htmx = waiting.popleft()
        if not _wanted(found, address):
            continue
        answer = browser.get(address, headers={"HX-Request": "true"} if by_htmx else {})
        if answer.status_code >= FAULT:
            found.failed.append((answer.status_code, address))
        if "text/html" in answer.headers.get("Content-Type", ""):
            waiting.extend(_links(address, answer.content.decode()))
    return found


def _links(here: str, page: str) -> list[tuple[str, bool]]:
    fragments = set(ASKED_BY_HTMX.findall(page))
    return [(urljoin(here, unescape(link)).partition("#")[0], link in fragments) for link in LINK.findall(page)]


def _wanted(found: Crawl, address: str) -> bool:
    """Whether this address is one of ours of which too few of the same kind were visited. Notes that it is visited."""
    kind = _kind(address)
    if kind is None:
        return False
    same = found.visited.setdefault(kind, [])
    if address in same or len(same) >= OF_ONE_KIND:
        return False
    same.append(address)
    return True


@functools.cache
def _kind(address: str) -> tuple[str, ...] | None:
    """Return the view of an address and what makes it a page of its own; None for an address elsewhere. Most addresses
    stand on most pages."""
    parts = urlsplit(address)
    if parts.netloc:
        return None
    asked = dict(parse_qsl(parts.query))
    return (resolve(parts.path).view_name, *(asked.get(name, "") for name in DISTINGUISHED_BY))
