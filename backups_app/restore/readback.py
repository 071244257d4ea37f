"""Is what is there now exactly what was written? Each side is one number, whatever the order of its documents."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from backups_app.backup_files.reading.collection_reader import StreamHashes
from backups_app.restore.source import Source


@dataclass(kw_only=True)
class Fingerprint:
    """Any number of documents: how many, and the sum of a 64-bit hash of each one's bytes, `_id` included. The hash is
    keyed by this process, so that nobody can choose documents that escape it; of damaged ones one in 10^19 would. Where
    two fingerprints differ, the digests show which documents do."""

    documents: int = 0
    total: int = 0

    def add(self, frames: Sequence[bytes]) -> None:
        """Take these documents in."""
        self.documents += len(frames)
        self.total += sum(map(hash, frames))


class Reading:
    """A collection of a backup as it was read last: hashed as it lies on the disk, and its fingerprint."""

    def __init__(self, source: Source, name: str) -> None:
        self._source, self._name = source, name
        self._heard = StreamHashes()
        self._fingerprint = Fingerprint()

    def batches(self) -> Generator[list[bytes], None, None]:
        """Yield the documents from the first on. Raises as `Source.batches`."""
        self._heard, self._fingerprint = heard, fingerprint = StreamHashes(), Fingerprint()
        for batch in self._source.batches(self._name, heard=heard):
            fingerprint.add(batch)
            yield batch

    def is_equal(self, found: Fingerprint) -> bool:
        """Whether these are exactly the documents that were read, to the end, and those were what was verified."""
        return self._fingerprint == found and self._heard.are_those_of(self._source.manifest, self._name)
