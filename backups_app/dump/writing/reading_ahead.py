"""Ask for the next answer of a server while the present one is worked on: two cores, and the way there and back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], *, is_followed: Callable[[Item], bool] = lambda _: True) -> Generator[Item]:
    """Yield `items`; a thread of its own takes each next one while the caller has the last, where that one
    `is_followed` by another that will come soon. Raises what `items` raises; waits for the thread at the end."""
    end: list[Item] = []

    def take() -> list[Item]:
        return next(([item] for item in items), end)

    with ThreadPoolExecutor(1, thread_name_prefix="dump-ahead") as reader:
        coming: Future[list[Item]] | None = None
        while taken := (coming or reader.submit(take)).result():
            coming = reader.submit(take) if is_followed(taken[0]) else None
            yield taken[0]
