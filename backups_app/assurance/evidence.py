"""What is known about the protection of the data at one moment. All moments are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backups_app.messages.message import Message


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The last slot of an enabled schedule that makes backups, and its next one. `last` is None before the first.

    `unserved` is the oldest slot since which no good backup began, and the slot after that one; None where there is
    none. The last slot alone would say that all is well each time a new one comes.
    """

    last: datetime | None
    next: datetime
    unserved: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, kw_only=True)
class Away:
    """A target that has copies and does not answer, or does not give them: they do not count. `since`: so long."""

    target: str
    since: datetime
    reason: Message


@dataclass(frozen=True, kw_only=True)
class Copies:
    """What is known of copies elsewhere. A copy on this computer does not count.

    `uncopied_documents`: deleted documents that only one disk holds, over all holders without a copy that counts.
    `uncopied_on`: the hosts of these, where one of them is not on this host.
    `holders_are_copied` is false also where nobody knows how many documents one of them holds.
    `since`: when the newest backup that has a copy was made, perhaps not the newest one.
    `only_on_this_computer`: no target survives it. `away`: a target whose copies do not count, for it does not answer.
    `unread`: a target with copies that do not count, for they could not be read back.
    """

    target: str
    newest_is_copied: bool
    uncopied_documents: int
    opened: bool
    since: datetime | None = None
    only_on_this_computer: bool = False
    holders_are_copied: bool = True
    away: Away | None = None
    unread: Away | None = None
    uncopied_on: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything that matters has a copy that counts."""
        return self.newest_is_copied and self.holders_are_copied and not self.uncopied_documents


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """The last restore test that ended well, and whose source has not failed since. `target` names the copy it began
    from; empty: from this disk. `backup_id` is what was restored, `backup_at` when that backup began (None: its record
    is gone), `newer` counts the verified backups since then."""

    at: datetime
    seconds: float
    backup_id: str
    target: str = ""
    backup_at: datetime | None = None
    newer: int = 0


@dataclass(frozen=True, kw_only=True)
class FailedTest:
    """The newest restore test that failed, where no later one of the same source ended well. `target` as above."""

    at: datetime
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who would notice that backups stop."""

    tick_at: datetime | None = None
    accepted_at: datetime | None = None
    undelivered_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong, and what to do about it. `backup_id` names the run that it is about."""

    message: Message
    hint: Message | None = None
    backup_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the conclusion rests on.

    `refusal` says why no backup could be made now; `local_away`: because the local server does not answer.
    `none_good` says why there is no verified backup, where it is not that none was made yet; `two_failed` why the last
    two runs failed. `newest_at` is when the newest verified backup began (one dated in the future is no evidence).
    `attention` are the ambers, worst first. `synced_at` is when Atlas last had what is here, but for the collections
    `unsynced`; without `sync_known` nobody can know, and `sync_enabled` says whether one is set up. `held_documents`
    counts the deleted documents that only backups hold; `held_unknown`: of some backup nobody knows how many it holds;
    `held_on` are the hosts that have these backups, where one of them is not on this host.
    `others` counts the verified backups on `other_hosts` that their own hosts confirmed a moment ago; they count as no
    copy. `newest_on` is the host that has the newest verified backup; empty: this one.
    """

    now: datetime
    is_local: bool = True
    refusal: Finding | None = None
    local_away: bool = False
    none_good: Finding | None = None
    two_failed: Finding | None = None
    running: bool = False
    backups: int = 0
    newest_at: datetime | None = None
    schedules: tuple[Slots, ...] = ()
    copies: Copies | None = None
    rehearsal: Rehearsal | None = None
    failed_test: FailedTest | None = None
    rehearsal_valid: timedelta = timedelta(days=30)
    watch: Watch = Watch()
    attention: tuple[Finding, ...] = ()
    sync_known: bool = True
    sync_enabled: bool = False
    synced_at: datetime | None = None
    unsynced: tuple[str, ...] = ()
    held_documents: int = 0
    held_unknown: bool = False
    held_on: tuple[str, ...] = ()
    others: int = 0
    other_hosts: tuple[str, ...] = ()
    newest_on: str = ""
