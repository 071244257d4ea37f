"""Several pieces of work at once, in threads: when one fails the others stop at their next checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from backups_app.progress import Progress

T = TypeVar("T")


class OtherFailed(Exception):
    """Another one failed; its error is the one that counts."""


@dataclass(kw_only=True)
class SharedProgress:
    """The progress of all of them: hears one at a time, and stops them all."""

    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, label: str, total: int) -> None:
        with self.lock:
            self.progress.expect(label, total)

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        with self.lock:
            self.progress.advance(label, count, size_bytes)

    def note(self, sentence: str) -> None:
        with self.lock:
            self.progress.note(sentence)

    def checkpoint(self) -> None:
        if self.stop.is_set():
            raise OtherFailed
        self.progress.checkpoint()


def each(
    names: Sequence[str], work: Callable[[str], T], *, at_once: int, progress: SharedProgress
) -> Generator[tuple[str, T], None, None]:
    """Do the work of each name, at most so many at once; yield name and result as each ends. What one raises is raised
    here, when the others have stopped."""
    if len(names) == 1:
        yield names[0], work(names[0])
        return
    with ThreadPoolExecutor(at_once, thread_name_prefix="side-by-side") as pool:
        names_of = {pool.submit(work, name): name for name in names}
        pending = set(names_of)
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield names_of[future], future.result()
        finally:
            if pending:
                progress.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
