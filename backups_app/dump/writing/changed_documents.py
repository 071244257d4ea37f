"""What an incremental writes of a collection: the documents that its base does not hold byte for byte."""

from __future__ import annotations

from array import array
from typing import Protocol

from backups_app.backup_files.digests import base_digests, document_digests
from backups_app.backup_files.digests.base_digests import BaseDigests


class Sink(Protocol):
    """Where documents are written to."""

    def write(self, documents: list[memoryview]) -> int: ...

    def finish(self) -> None: ...


class ChangedDocuments:
    """Lets through what is new or changed, and remembers what of the base is still there.

    Most documents stand where they stood in the base, so each is first compared with the one that is next there; only
    the others are looked for by their `_id`. One bit for each document of the base is in memory.
    """

    def __init__(self, sink: Sink, digests: BaseDigests) -> None:
        self._sink = sink
        self._digests = digests
        self._seen = bytearray(digests.documents)
        self._next = 0
        self.written = 0
        self.in_order = True
        """Whether the base's documents that are left, and then what was written, are the order of the collection."""

    def write(self, documents: list[memoryview]) -> int:
        """Write those of these documents that the base does not hold. Return the bytes that were looked at."""
        changed = [document for document in documents if self._is_changed(document)]
        if changed:
            self._sink.write(changed)
        return sum(map(len, documents))

    def finish(self) -> None:
        self._sink.finish()

    def gone(self) -> array[int]:
        """Return the numbers of the base's documents that are deleted or replaced, ascending."""
        numbers, at = array("Q"), self._seen.find(0)
        while at >= 0:
            numbers.append(at)
            at = self._seen.find(0, at + 1)
        return numbers

    def bytes_of(self, numbers: array[int]) -> int:
        """Return the bytes of these documents of the base."""
        return sum(self._digests.length(number) for number in numbers)

    def _is_changed(self, document: memoryview) -> bool:
        content = document_digests.content_hash(document)
        number = self._next
        if number < self._digests.documents and not self._seen[number] and self._digests.content(number) == content:
            self._take(number)
            return False
        identity = base_digests.identity_of(bytes(document), content)
        for number in self._digests.numbers_of(identity):
            if not self._seen[number] and self._digests.content(number) == content:
                self.in_order = self.in_order and number >= self._next
                self._take(number)
                return False
            self._next = number + 1  # it was replaced: its neighbour is next
        self.written += 1
        return True

    def _take(self, number: int) -> None:
        self.in_order = self.in_order and not self.written
        self._seen[number] = 1
        self._next = number + 1
