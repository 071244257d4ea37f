"""Are all `_id`s of a file different? Answered in flat memory, however many there are.

Each `_id` is remembered by a hash, as a float of 53 bits: floats sort twice as quickly as whole numbers of 64. A
million of them are sorted at a time and dealt out to buckets on the disk; each bucket is then small enough to look for
equal hashes in. Equal hashes are a suspicion only: the caller confirms it on the real bytes.
"""

from __future__ import annotations

import itertools
import operator
import tempfile
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from backups_app.backup_files import durable

_AT_ONCE = 1 << 20
_BUCKETS = 1 << 10
_LOWEST, _WIDTH = -float(1 << 63), float(1 << 54)
_ITEM = 8


fingerprint: Callable[[bytes], float] = hash
"""What is remembered of a key. Differs from process to process, so that nobody can choose `_id`s that collide."""


class UniqueIds:
    """Collects the keys of one file. `folder` is where a file without a name may hold what does not fit in memory."""

    def __init__(self, *, folder: Path, at_once: int = _AT_ONCE) -> None:
        self._folder = folder
        self._at_once = at_once
        self._waiting: array[float] = array("d")
        self._spilled: IO[bytes] | None = None
        self._extents: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)

    def add(self, keys: Iterable[bytes]) -> None:
        """Remember these keys; two are the same `_id` exactly when they are equal."""
        self._waiting.extend(map(fingerprint, keys))
        if len(self._waiting) >= self._at_once:
            self._spill()

    def suspects(self) -> frozenset[float]:
        """Return the fingerprints that came more than once. Empty means: all `_id`s are different, for certain."""
        if self._spilled is None:
            return _repeated(self._waiting)
        self._spill()
        with self._spilled:
            return frozenset().union(*(_repeated(self._bucket(number)) for number in range(_BUCKETS)))

    def _spill(self) -> None:
        try:
            self._deal_out()
        except OSError as error:
            durable.fail(error, path=self._folder, needed=len(self._waiting) * _ITEM)

    def _deal_out(self) -> None:
        if self._spilled is None:
            self._spilled = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by `suspects`
        ordered = array("d", sorted(self._waiting))
        self._waiting = array("d")
        start = 0
        for number in range(_BUCKETS):
            end = (
                bisect_left(ordered, _LOWEST + (number + 1) * _WIDTH, start) if number < _BUCKETS - 1 else len(ordered)
            )
            if end > start:
                self._extents[number].append((self._spilled.tell(), end - start))
                self._spilled.write(ordered[start:end].tobytes())
            start = end

    def _bucket(self, number: int) -> array[float]:
        assert self._spilled is not None
        values: array[float] = array("d")
        for offset, count in self._extents[number]:
            self._spilled.seek(offset)
            values.frombytes(self._spilled.read(count * _ITEM))
        return values


def _repeated(values: array[float]) -> frozenset[float]:
    ordered = sorted(values)
    if not any(map(operator.eq, ordered, itertools.islice(ordered, 1, None))):
        return frozenset()
    return frozenset(one for one, other in itertools.pairwise(ordered) if one == other)
