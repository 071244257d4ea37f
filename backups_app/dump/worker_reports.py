"""What the workers of a dump report. The listener hears it from the thread that called: it alone may be cancelled."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue

from backups_app.progress import Progress


class WorkerReports:
    """Documents and bytes by collection. Workers add from their threads; one thread passes on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._waiting: SimpleQueue[tuple[str, int, int]] = SimpleQueue()
        self._added: dict[str, tuple[int, int]] = {}

    def add(self, name: str, documents: int, size_bytes: int) -> None:
        """Note what was copied of a collection."""
        before = self._added.get(name, (0, 0))
        self._added[name] = before[0] + documents, before[1] + size_bytes
        self._waiting.put((name, documents, size_bytes))

    def take_back(self, name: str) -> None:
        """Note that the copy of a collection starts over: what was added for it does not count."""
        documents, size_bytes = self._added.pop(name, (0, 0))
        self._waiting.put((name, -documents, -size_bytes))

    def pass_on(self) -> None:
        """Hand everything that was added since to the listener. Raises what `progress` raises."""
        with suppress(Empty):
            while True:
                self._progress.advance(*self._waiting.get_nowait())
