"""Some batches at once: while the server deletes one and waits for its journal, the next is read and sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from backups_app.mongo.exact_writes.filters import STATEMENT_BYTES
from backups_app.threads import prompt

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE = 2
"""Writers on one side. Their batches have no document in common, so none waits for another's."""


def in_order(
    items: Iterator[Item],
    work: Callable[[Item], Result],
    *,
    size_of: Callable[[Item], int],
    before: Callable[[], None],
) -> Generator[Result]:
    """Yield `work(item)` in the order of `items`, each in a thread, at most `AT_ONCE` at a time and at most 4 MiB: two
    must not take longer on a slow line than the one that its time limit is made for.

    `before` is called here before each one begins; nothing begins after it raised. What `before`, `items` or a piece of
    work raises is raised here, the first of it, when those that had begun have ended and their results were yielded.
    """
    begun: deque[tuple[int, Future[Result]]] = deque()
    error: BaseException | None = None
    with prompt(), ThreadPoolExecutor(AT_ONCE, thread_name_prefix="purge") as pool:
        try:
            for item in items:
                while begun and not _fits(size_of(item), [size for size, _ in begun]):
                    yield begun.popleft()[1].result()
                before()
                begun.append((size_of(item), pool.submit(work, item)))
        except Exception as failed:  # noqa: BLE001
            error = failed
        for _, last in begun:
            if last.exception() is None:
                yield last.result()
            error = error or last.exception()
    if error is not None:
        raise error


def _fits(size_bytes: int, under_way: Sequence[int]) -> bool:
    return len(under_way) < AT_ONCE and sum(under_way) + size_bytes <= STATEMENT_BYTES
