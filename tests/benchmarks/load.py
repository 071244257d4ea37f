"""Readers and searchers of a site, in one process, until `stop` comes on stdin. Prints one JSON object.

    python -m tests.benchmarks.load PORT READERS SEARCHERS

A reader asks once a second, whatever the answer takes: what is late begins at once. Times are taken around a request
and its answer. Asyncio with one small HTTP client of its own: the generator's own processor time must stay small.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.hosts.site import PASSWORD, Client

PERSON = "ananya"
SEARCH_EVERY = 20.0
READS = (
    ("list", "/api/backups"), ("list", "/api/backups"), ("page", "/admin/backups/list/"), ("page", "/admin/backups/"),
    ("page", "/admin/backups/runs/{run}/"), ("documents", "/api/backups/{run}/collections/bookings?limit=50"),
)  # fmt: skip
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.I)
COOKIE = re.compile(r"set-cookie: *([^=;]+)=([^;]*)", re.I)
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Load:
    """What was asked and how long each answer took, by kind."""

    port: int
    run: str
    cookie: str
    client: Client
    times: dict[str, list[float]] = field(default_factory=dict)
    failed: int = 0
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, number: int) -> None:
        """One reader."""
        chance = random.Random(number)
        due = time.monotonic() + chance.random()
        while await self._sleep_until(due):
            kind, path = chance.choice(READS)
            await self._ask(kind, path.format(run=self.run))
            due = max(due + 1.0, time.monotonic() - 1.0)

    async def search(self, number: int) -> None:
        """One searcher."""
        chance = random.Random(1000 + number)
        due = time.monotonic() + chance.random() * SEARCH_EVERY
        while await self._sleep_until(due):
            query = urlencode({"limit": 20, "search": f"Lakshmi {chance.random():.6f}"})
            await self._ask("search", f"/api/backups/{self.run}/collections/bookings?{query}")
            due += SEARCH_EVERY

    async def _sleep_until(self, due: float) -> bool:
        try:
            await asyncio.wait_for(self.stopped.wait(), max(due - time.monotonic(), 0.001))
        except TimeoutError:
            return True
        return False

    async def _ask(self, kind: str, path: str) -> None:
        began = time.monotonic()
        try:
            status = await self._request(path)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            status = 0
        self.times.setdefault(kind, []).append((time.monotonic() - began) * 1000)
        self.failed += status != 200

    async def _request(self, path: str) -> int:
        who = f"Authorization: Bearer {self.client.token}" if path.startswith("/api/") else f"Cookie: {self.cookie}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: tests\r\nConnection: close\r\n{who}\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(answer)
            await (reader.readexactly(int(length[1])) if length else reader.read())
            return int(answer.split(b" ", 2)[1])
        finally:
            writer.close()


def _page_cookie(port: int) -> str:
    """Sign in as a browser does. Return the cookies."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/login/", headers={"User-Agent": "tests"})
    answer = connection.getresponse()
    page = answer.read().decode()
    cookies = dict(pair for name, value in answer.getheaders() for pair in COOKIE.findall(f"{name}: {value}"))
    form = FORM_TOKEN.search(page)
    assert form is not None
    body = urlencode({"username": PERSON, "password": PASSWORD, "csrfmiddlewaretoken": form[1]})
    headers = {
        "User-Agent": "tests", "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }  # fmt: skip
    connection.request("POST", "/login/", body, headers)
    answer = connection.getresponse()
    answer.read()
    cookies |= dict(pair for name, value in answer.getheaders() for pair in COOKIE.findall(f"{name}: {value}"))
    connection.close()
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


async def _carry_out(load: Load, readers: int, searchers: int) -> None:
    tasks = [asyncio.create_task(load.read(number)) for number in range(readers)]
    tasks += [asyncio.create_task(load.search(number)) for number in range(searchers)]
    tasks.append(asyncio.create_task(_renew(load)))
    await asyncio.to_thread(sys.stdin.readline)
    load.stopped.set()
    await asyncio.gather(*tasks)


async def _renew(load: Load) -> None:
    """An access token is good for five minutes."""
    while await load._sleep_until(time.monotonic() + 200):
        await asyncio.to_thread(load.client.log_in, PERSON)


def main(port: int, readers: int, searchers: int) -> None:
    """Sign in, say so, ask until stopped, and print what was found."""
    client = Client(port)
    client.log_in(PERSON)
    run = client.get("/api/backups")[1][0]["backup_id"]
    load = Load(port=port, run=run, cookie=_page_cookie(port), client=client)
    print("signed in", flush=True)
    before = _cpu_seconds()
    asyncio.run(_carry_out(load, readers, searchers))
    print(json.dumps(_summary(load, cpu_seconds=_cpu_seconds() - before)))


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system


def _summary(load: Load, *, cpu_seconds: float) -> dict[str, Any]:
    return {
        "requests": sum(map(len, load.times.values())), "failed": load.failed, "cpu_seconds": cpu_seconds,
        "milliseconds": {
            kind: {"p50": _share(times, 0.5), "p95": _share(times, 0.95), "count": len(times)}
            for kind, times in sorted(load.times.items())
        },
    }  # fmt: skip


def _share(times: list[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
