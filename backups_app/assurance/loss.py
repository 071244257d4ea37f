"""What would be lost if this computer died now: measured, not promised. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from backups_app.assurance.evidence import Copies, Evidence
from backups_app.assurance.marks import age_message
from backups_app.messages.message import Message, Sentence
from backups_app.messages.protection import assurance as wording


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What would be lost. `documents` are deleted documents that only one disk holds, at least. `window` is how much
    time of changes would be gone; None: everything that this computer holds (`everything`), or nobody knows."""

    documents: int
    window: timedelta | None
    messages: tuple[Message, ...]
    everything: bool | None = None
    all_counted: bool = True

    @property
    def known_documents(self) -> int | None:
        """The deleted documents as a figure. None instead of 0 where everything would be lost or some are not known."""
        return self.documents or (0 if self.everything is False and self.all_counted else None)


def loss(evidence: Evidence) -> Loss:
    """Given the evidence, measure the loss: first the deleted documents without a copy, then the time since the newest
    copy or the last sync, whichever is later."""
    documents = evidence.copies.uncopied_documents if evidence.copies else evidence.held_documents
    since = _since(evidence)
    window = evidence.now - since if since else None
    return Loss(
        documents=documents,
        window=window,
        messages=tuple(_messages(evidence, documents, window)),
        everything=None if window is None and not _is_known(evidence) else window is None,
        all_counted=evidence.copies.holders_are_copied if evidence.copies else not evidence.held_unknown,
    )


def _is_known(evidence: Evidence) -> bool:
    return evidence.is_local and evidence.sync_known


def _since(evidence: Evidence) -> datetime | None:
    """A clock that ran ahead left moments that are evidence for nothing."""
    moments = [evidence.synced_at, _copied_at(evidence.copies)]
    return max((moment for moment in moments if moment and moment <= evidence.now), default=None)


def _copied_at(copies: Copies | None) -> datetime | None:
    """A copy that no key ever opened dates nothing."""
    return copies.since if copies and copies.opened else None


def _messages(evidence: Evidence, documents: int, window: timedelta | None) -> Iterator[Message]:
    if documents:
        hosts = evidence.copies.uncopied_on if evidence.copies else evidence.held_on
        yield wording.LOST_DELETED_ON_HOSTS(n=documents, hosts=hosts) if hosts else wording.LOST_DELETED(n=documents)
    if window is not None:
        age = age_message(window)
        has_copy = _copied_at(evidence.copies) is not None
        yield wording.LOST_CHANGES(age=age) if has_copy else _backups(evidence)(age=age)
        if evidence.unsynced and not has_copy:
            yield wording.LOST_COLLECTIONS(collections=evidence.unsynced)
    elif evidence.sync_known and evidence.newest_at is not None:
        yield _everything(evidence)()
    if evidence.others:
        yield wording.ON_OTHER_HOSTS(n=evidence.others, hosts=evidence.other_hosts)


def _backups(evidence: Evidence) -> Sentence:
    return wording.LOST_BACKUPS_HERE if evidence.others else wording.LOST_BACKUPS


def _everything(evidence: Evidence) -> Sentence:
    """A copy that no key has opened may be a copy; a sync that is set up has not run. What other hosts have is not on
    this computer."""
    if evidence.copies is not None and evidence.copies.since is not None:
        return wording.LOST_UNLESS_OPENED_SO_FAR if evidence.sync_enabled else wording.LOST_UNLESS_OPENED
    if evidence.others:
        return wording.LOST_ALL_HERE_SO_FAR if evidence.sync_enabled else wording.LOST_ALL_HERE
    return wording.LOST_EVERYTHING_SO_FAR if evidence.sync_enabled else wording.LOST_EVERYTHING
