"""What would be lost if this computer died now: measured, not promised. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from backups_app.assurance.evidence import Copies, Evidence
from backups_app.assurance.marks import age_message
from backups_app.messages import assurance as said
from backups_app.messages.message import Message


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What would be lost. `documents` are deleted documents that only this disk holds. `window` is how much time of
    changes would be gone; None: everything that this computer holds, or nobody knows."""

    documents: int
    window: timedelta | None
    messages: tuple[Message, ...]


def loss(evidence: Evidence) -> Loss:
    """Given the evidence, measure the loss: first the deleted documents without a copy, then the time since the newest
    copy or the last sync, whichever is later."""
    documents = evidence.copies.uncopied_documents if evidence.copies else evidence.held_documents
    since = _since(evidence)
    window = evidence.now - since if since else None
    return Loss(documents=documents, window=window, messages=tuple(_messages(evidence, documents, window)))


def _since(evidence: Evidence) -> datetime | None:
    """A clock that ran ahead left moments that are evidence for nothing."""
    moments = [evidence.synced_at, _copied_at(evidence.copies)]
    return max((moment for moment in moments if moment and moment <= evidence.now), default=None)


def _copied_at(copies: Copies | None) -> datetime | None:
    """A copy that no key ever opened, or that is not of the newest backup, dates nothing."""
    return copies.since if copies and copies.opened and copies.newest_is_copied else None


def _messages(evidence: Evidence, documents: int, window: timedelta | None) -> Iterator[Message]:
    if documents:
        yield said.LOST_DELETED(n=documents)
    if window is not None:
        age = age_message(window)
        has_copy = _copied_at(evidence.copies) is not None
        yield said.LOST_CHANGES(age=age) if has_copy else said.LOST_BACKUPS(age=age)
        if evidence.unsynced and not has_copy:
            yield said.LOST_COLLECTIONS(collections=evidence.unsynced)
    elif evidence.sync_known and evidence.newest_at is not None:
        yield said.LOST_EVERYTHING()
