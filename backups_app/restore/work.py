"""What has to happen to each document of one collection: two states in, one decision a document out. Pure."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from backups_app.backup_files.digests import document_digests
from backups_app.backup_files.digests.document_digests import DRAWERS, DocumentDigests
from backups_app.backup_files.digests.drawers import Drawers
from backups_app.restore.choices import Mode

SAME, INSERT, REPLACE, KEEP, OLDER, UNASKED = range(6)
"""What happens to a document of the backup: it is there already; it is inserted; it takes another's place; it is there
in another version that stays; a later version with the same `_id` stands in the same file; nobody asked
for it, so it stays as it is, whatever that is."""

_EXPECTED = struct.Struct(f"<I{document_digests.HASH_BYTES}s")
_PUT_BACK = frozenset({SAME, INSERT, REPLACE})
_CHOSEN = _PUT_BACK | {KEEP}


class ExpectedHashes:
    """The hash of what a REPLACE must find, by the number of the backup's document. `documents`: how many it holds."""

    def __init__(self, documents: int = 0) -> None:
        self._width = documents // DRAWERS + 1
        self._drawers = Drawers(DRAWERS)
        self._read: tuple[int, dict[int, bytes]] = (-1, {})

    def put(self, hashes: Iterable[tuple[int, bytes]]) -> None:
        """Take in some. To be called before the first is asked for."""
        for number, content in hashes:
            self._drawers.waiting[number // self._width] += _EXPECTED.pack(number, content)
        self._drawers.make_room()

    def items(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and hash of each. Raise `StorageFailed`."""
        for drawer in range(DRAWERS):
            yield from _EXPECTED.iter_unpack(self._drawers.read(drawer))

    def __getitem__(self, number: int) -> bytes:
        """Return the hash for a document; quick where they are asked for in the file's order. Raise KeyError,
        `StorageFailed`."""
        drawer = number // self._width
        if self._read[0] != drawer:
            self._read = drawer, dict(_EXPECTED.iter_unpack(self._drawers.read(drawer)))
        return self._read[1][number]


@dataclass(kw_only=True)
class DocumentActions:
    """`actions` holds one of the above for each document of the backup, by its number; `expected` the hash of what a
    REPLACE must find. `extra` are the numbers, in the other state, of documents that the backup does not hold.
    `alone`: one document was asked for, and no other is looked at."""

    actions: bytearray
    expected: ExpectedHashes = field(default_factory=ExpectedHashes)
    extra: array[int] = field(default_factory=lambda: array("I"))
    delete_extra: bool = False
    alone: bool = False

    def count(self, action: int) -> int:
        """Return how many documents of the backup are to be treated so."""
        return self.actions.count(action)

    def first(self, action: int, most: int) -> list[int]:
        """Return the numbers of the first documents that are to be treated so."""
        found: list[int] = []
        at = self.actions.find(action)
        while at >= 0 and len(found) < most:
            found.append(at)
            at = self.actions.find(action, at + 1)
        return found

    @property
    def deletes(self) -> int:
        return len(self.extra) if self.delete_extra else 0

    @property
    def writes(self) -> int:
        """How many documents will be written or deleted."""
        return self.count(INSERT) + self.count(REPLACE) + self.deletes


def decide(*, wanted: DocumentDigests, there: DocumentDigests, mode: Mode) -> DocumentActions:
    """Given the backup's documents and those that are there, decide about each of both."""
    work = DocumentActions(
        actions=bytearray(wanted.documents),
        expected=ExpectedHashes(wanted.documents),
        delete_extra=mode is Mode.REPLACE,
    )
    differing = KEEP if mode is Mode.ADD else REPLACE
    extra = array("I")
    for drawer in range(DRAWERS):
        latest, expected = _latest(wanted, drawer, work.actions), []
        found = {identity: (content, number) for identity, content, number in there.records(drawer)}
        for identity, (content, number) in latest.items():
            other = found.pop(identity, None)
            if other is None:
                work.actions[number] = INSERT
            elif other[0] != content:
                work.actions[number] = differing
                if differing == REPLACE:
                    expected.append((number, other[0]))
        work.expected.put(expected)
        extra.extend(number for _, number in found.values())
    work.extra = array("I", sorted(extra))
    return work


def all_missing(documents: int) -> DocumentActions:
    """Return the decision where nothing is there and the backup holds each `_id` once: every document is inserted."""
    return DocumentActions(actions=bytearray([INSERT]) * documents)


def only(*, wanted: DocumentDigests, there: DocumentDigests, mode: Mode, identity: bytes) -> DocumentActions:
    """As `decide`, for the one document whose `_id` has this hash: all others are UNASKED."""
    work = decide(wanted=wanted, there=there, mode=mode)
    chosen = {number for found, _, number in wanted.records(identity[0]) if found == identity}
    for number in range(len(work.actions)):
        if number not in chosen:
            work.actions[number] = UNASKED
    expected = work.expected
    work.expected = ExpectedHashes(wanted.documents)
    work.expected.put((number, content) for number, content in expected.items() if number in chosen)
    work.extra, work.delete_extra, work.alone = array("I"), False, True
    return work


def _latest(wanted: DocumentDigests, drawer: int, actions: bytearray) -> dict[bytes, tuple[bytes, int]]:
    """An `_id` that stands twice was deleted and inserted again while the scan ran: the later one is the newer."""
    latest: dict[bytes, tuple[bytes, int]] = {}
    for identity, content, number in wanted.records(drawer):
        before = latest.get(identity)
        if before is not None:
            actions[before[1]] = OLDER
        latest[identity] = (content, number)
    return latest


class PlannedIds:
    """Which documents of a collection a restore is about, by key (`raw_ids.key`): 9 bytes a document, once somebody
    asks. `wanted` is the digest of the backup; without one every document is inserted."""

    def __init__(self, *, work: DocumentActions, wanted: DocumentDigests | None) -> None:
        self._work, self._wanted = work, wanted

    def is_chosen(self, key: bytes) -> bool:
        """Whether the restore is about this document, also where another version of it stays."""
        return self._action(key) in _CHOSEN

    def is_put_back(self, key: bytes) -> bool:
        """Whether the document is afterwards as the backup has it, also where it was so before."""
        return self._action(key) in _PUT_BACK

    def identities(self) -> Iterator[bytes] | None:
        """Yield the first 8 bytes of the hash of each `_id` that is chosen; None where that is every document."""
        if self._wanted is None:
            return None
        return (begin.to_bytes(8, "big") for begins, _ in self._drawers for begin in begins)

    def _action(self, key: bytes) -> int | None:
        if self._wanted is None:
            return INSERT
        identity = document_digests.identity_hash(key)
        begins, actions = self._drawers[identity[0]]
        begin = _begin(identity)
        at = bisect_left(begins, begin)
        return actions[at] if at < len(begins) and begins[at] == begin else None

    @cached_property
    def _drawers(self) -> list[tuple[Sequence[int], Sequence[int]]]:
        return [self._drawer(drawer) for drawer in range(DRAWERS)]

    def _drawer(self, drawer: int) -> tuple[Sequence[int], Sequence[int]]:
        assert self._wanted is not None
        actions = self._work.actions
        found = sorted(
            (_begin(identity), actions[number])
            for identity, _, number in self._wanted.records(drawer)
            if actions[number] in _CHOSEN
        )
        return array("Q", (begin for begin, _ in found)), bytes(action for _, action in found)


def _begin(identity: bytes) -> int:
    return int.from_bytes(identity[:8], "big")
