"""What happens to a site at random: a worker and its web process are killed, its lines are cut or slow."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from tests.hosts.site import Process, Site
from tests.proxy import Proxy
from tests.soak import usage

REST_SECONDS = (5, 25)
CUT_SECONDS = (0.5, 8)


class Mishaps:
    """Keeps one web process and two workers alive, and does something to one of them, or to a line. The web process is
    killed until `web_until` (by `time.monotonic`) and one worker never: memory that grows is seen there."""

    def __init__(self, site: Site, lines: dict[str, Proxy], chance: random.Random, *, web_until: float) -> None:
        self._site, self._lines, self._chance, self._web_until = site, lines, chance, web_until
        self._web, self._steady, self._killed = site.start_web(), site.start_worker(), site.start_worker()
        self._happened: Counter[str] = Counter()

    def some(self, *, seconds: float) -> None:
        """Let one thing after the other happen, with rests, for about so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self._chance.uniform(*REST_SECONDS))
            what = self._chance.choice(self._possible())
            what()
            self._happened[what.__name__.strip("_").replace("_", " ")] += 1

    def _possible(self) -> list[Callable[[], None]]:
        web = [self._kill_the_web] if time.monotonic() < self._web_until else []
        return [self._kill_a_worker, self._cut, self._cut, self._slow_down, *web]

    def processes(self) -> dict[str, int]:
        """Return the process ids by role."""
        return {"web": self._web.pid, "worker": self._steady.pid, "killed worker": self._killed.pid}

    def summary(self) -> str:
        """Say how often what happened."""
        return ", ".join(f"{what} {count}" for what, count in sorted(self._happened.items())) or "nothing happened"

    def _kill_a_worker(self) -> None:
        self._kill(self._killed)
        self._killed = self._site.start_worker()

    def _kill_the_web(self) -> None:
        """As systemd does: with its children, which would keep the port for a while."""
        children = usage.children(self._web.pid)
        self._kill(self._web)
        for child in children:
            os.kill(child, signal.SIGKILL)
        self._web = self._site.start_web()

    def _cut(self) -> None:
        line = self._lines[self._chance.choice(sorted(self._lines))]
        self._chance.choice([line.reset, line.refuse, line.hang_up, line.black_hole])()
        time.sleep(self._chance.uniform(*CUT_SECONDS))
        line.heal()

    def _slow_down(self) -> None:
        line = self._lines[self._chance.choice(sorted(self._lines))]
        line.latency(0.1)
        time.sleep(self._chance.uniform(*CUT_SECONDS))
        line.latency(0)

    @staticmethod
    def _kill(process: Process) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
