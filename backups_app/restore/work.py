"""What has to happen to each document of one collection: two states in, one decision a document out. Pure."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from backups_app.backup_files.document_digests import DRAWERS, DocumentDigests
from backups_app.restore.choices import Mode

SAME, INSERT, REPLACE, KEEP, OLDER = range(5)
"""What happens to a document of the backup: it is there already; it is inserted; it takes another's place; it is there
in another version that stays; a later version with the same `_id` stands in the same file."""


@dataclass(kw_only=True)
class DocumentActions:
    """`actions` holds one of the above for each document of the backup, by its number; `expected` the hash of what a
    REPLACE must find. `extra` are the numbers, in the other state, of documents that the backup does not hold."""

    actions: bytearray
    expected: dict[int, bytes] = field(default_factory=dict)
    extra: array[int] = field(default_factory=lambda: array("I"))
    delete_extra: bool = False

    def count(self, action: int) -> int:
        """Return how many documents of the backup are to be treated so."""
        return self.actions.count(action)

    @property
    def deletes(self) -> int:
        return len(self.extra) if self.delete_extra else 0

    @property
    def writes(self) -> int:
        """How many documents will be written or deleted."""
        return self.count(INSERT) + self.count(REPLACE) + self.deletes


def decide(*, wanted: DocumentDigests, there: DocumentDigests, mode: Mode) -> DocumentActions:
    """Given the backup's documents and those that are there, decide about each of both."""
    work = DocumentActions(actions=bytearray(wanted.documents), delete_extra=mode is Mode.REPLACE)
    differing = KEEP if mode is Mode.ADD else REPLACE
    extra = array("I")
    for drawer in range(DRAWERS):
        latest = _latest(wanted, drawer, work.actions)
        found = {identity: (content, number) for identity, content, number in there.records(drawer)}
        for identity, (content, number) in latest.items():
            other = found.pop(identity, None)
            if other is None:
                work.actions[number] = INSERT
            elif other[0] != content:
                work.actions[number] = differing
                if differing == REPLACE:
                    work.expected[number] = other[0]
        extra.extend(number for _, number in found.values())
    work.extra = array("I", sorted(extra))
    return work


def only(*, wanted: DocumentDigests, there: DocumentDigests, mode: Mode, identity: bytes) -> DocumentActions:
    """As `decide`, for the one document whose `_id` has this hash: all others stay as they are."""
    work = decide(wanted=wanted, there=there, mode=mode)
    chosen = {number for found, _, number in wanted.records(identity[0]) if found == identity}
    for number in range(len(work.actions)):
        if number not in chosen:
            work.actions[number] = SAME
    work.expected = {number: content for number, content in work.expected.items() if number in chosen}
    work.extra, work.delete_extra = array("I"), False
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
