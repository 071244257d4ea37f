"""Searches in processes of their own, beside a process that serves pages.

A search is computing for a second, and while one thread of Python computes the others wait for it: pages would. So a
process that serves (`begin`) hands the searches of files to others that stand back behind pages and runs:

1. `search.find` lets two searches go on at the same time, and asks here for a carrier of each;
2. a process that is free takes it, or one is started, which takes a fifth of a second;
3. a process ends when nobody has asked for `IDLE_SECONDS`, or when the one that started it is gone;
4. where a process gives no page (it died, or the file cannot be read), the search is done by who asked: the failure
   then has its name.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock

import backups_app
from backups_app import priorities
from backups_app.browsing.reading.collection_file import CollectionFile
from backups_app.browsing.search import search
from backups_app.browsing.search.query import Query
from backups_app.browsing.search.search import Searchable, SearchPage
from backups_app.errors import TempleOpsError

IDLE_SECONDS = 300.0
PATIENCE_SECONDS = 20.0
"""For so long beyond its budget a process is waited for: on a machine with much to do it stands back."""
ROOT = Path(backups_app.__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one process is asked for."""

    source: Searchable
    query: Query
    start: int
    limit: int
    seconds: float


class SearchingProcess:
    """One process, and the line to it."""

    def __init__(self) -> None:
        """Start it. Raise OSError where no further process can be started."""
        self._line, theirs = Pipe()
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        try:
            # A session of its own: Ctrl-C in a terminal is for the one that serves.
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )
        except OSError:
            self._line.close()
            raise
        finally:
            theirs.close()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def page_of(self, task: Task) -> SearchPage | None:
        """Return what was found; None where it found no page. Raise OSError or EOFError when the process is gone, and
        TimeoutError when it does not answer."""
        self._line.send(task)
        if not self._line.poll(task.seconds + PATIENCE_SECONDS):
            raise TimeoutError
        page: SearchPage | None = self._line.recv()
        return page

    def end(self) -> None:
        """End it at once: searching changes nothing."""
        self._line.close()
        self._process.kill()
        self._process.wait()


class Searchers:
    """The processes of one process that serves."""

    def __init__(self) -> None:
        self._free: list[SearchingProcess] = []
        self._lock = Lock()

    def page_of(self, source: Searchable, *, query: Query, start: int, limit: int, seconds: float) -> SearchPage | None:
        """Search a file in a process of its own. Return None where who asks has to search: live data, and what failed
        there."""
        if not isinstance(source, CollectionFile):
            return None
        task = Task(source=source, query=query, start=start, limit=limit, seconds=seconds)
        while True:
            try:
                process, is_new = self._taken()
            except OSError:
                return None
            try:
                page = process.page_of(task)
            except (OSError, EOFError) as gone:
                process.end()
                if is_new or isinstance(gone, TimeoutError):
                    return None
                continue  # it ended since it was asked last
            with self._lock:
                self._free.append(process)
            return page

    def end(self) -> None:
        """End the processes that are free."""
        with self._lock:
            ended, self._free = self._free, []
        for process in ended:
            process.end()

    def _taken(self) -> tuple[SearchingProcess, bool]:
        with self._lock:
            if self._free:
                return self._free.pop(), False
        return SearchingProcess(), True


def begin() -> None:
    """Have the searches of this process done by others. Call it where pages are served, after the last fork."""
    search.carry_out_by(Searchers().page_of)


def serve(line: Connection, *, idle_seconds: float = IDLE_SECONDS) -> None:
    """Search what is asked for, until nobody has asked for a while or the other end is gone."""
    with contextlib.suppress(EOFError, OSError):
        while line.poll(idle_seconds):
            task: Task = line.recv()
            try:
                page = search.search_here(
                    task.source, query=task.query, start=task.start, limit=task.limit, seconds=task.seconds
                )
            except (TempleOpsError, OSError):
                page = None
            line.send(page)


if __name__ == "__main__":
    priorities.stand_back(niceness=priorities.READING)
    serve(Connection(int(sys.argv[1])))
