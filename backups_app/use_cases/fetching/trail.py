"""On a machine whose audit trail is empty the trail goes on from that of a copy, and only of one that was accepted.

    with trail.going_on(asked.target, identities=…, database=…) as going_on:
        accepted.append(…)
        going_on.look(accepted, rest)       the rows of this fetch are written as soon as nothing newer can come

Until then they wait: a trail goes on only while it is empty. Where nothing was accepted, the fetch was cut before, or
holders came and newer backups did not (`before`), they are left out, so that the next fetch still finds an empty trail.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from pyrage.x25519 import Identity

from backups_app.access.trail import audit, carried_trail
from backups_app.access.trail.audit import WaitingRows
from backups_app.backup_files import layout
from backups_app.errors import TargetFailed, TempleOpsError
from backups_app.records import CLOCK_TOLERANCE, is_ahead
from backups_app.storage import copy_manifest
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.copy_choices import CopyChoice
from backups_app.use_cases.fetching import site

logger = logging.getLogger(__name__)


class GoingOn:
    """The trail of one fetch. `problems` says of which copies `site.json` could not be used, and why."""

    def __init__(
        self,
        target: StorageTarget,
        *,
        identities: Sequence[Identity],
        database: str,
        now: datetime,
        rows: WaitingRows | None,
        before: str = "",
    ) -> None:
        self._target, self._identities, self._database, self._now = target, identities, database, now
        self._rows, self._before = rows, before
        self.problems: dict[str, TempleOpsError] = {}

    def look(self, accepted: Sequence[CopyChoice], rest: Sequence[CopyChoice]) -> None:
        """Given the copies that were accepted so far and those that are still to come, go on from the newest good one
        as soon as none to come is newer. Raise `RecordsUnavailable`."""
        dated = [one for one in accepted if not is_ahead(one.run.created_at, now=self._now)]
        if self._rows is None or (self._before and not any(one.backup_id >= self._before for one in dated)):
            return
        order = partial(site.newest_first, now=self._now)
        newest = sorted(self._with_site(accepted), key=order, reverse=True)
        to_come = self._with_site(rest)
        for choice in newest:
            if any(order(one) > order(choice) for one in to_come):
                return
            if choice.backup_id not in self.problems and self._carried(choice):
                return
        if not to_come:
            self._write()

    def _with_site(self, choices: Sequence[CopyChoice]) -> list[CopyChoice]:
        return [one for one in choices if site.is_offered(one, database=self._database)]

    def _carried(self, choice: CopyChoice) -> bool:
        """Go on from the trail of this copy. Return whether nothing older is to be tried: a target that does not answer
        is asked again by the next fetch."""
        try:
            content = site.content_of(self._target, choice, identities=self._identities)
            site.go_on_from(content)
        except site.OF_ONE_SITE as error:
            self.problems[choice.backup_id] = error
            return False
        except TargetFailed as error:
            logger.warning("The audit trail of a copy could not be read", extra={"reason": error.code})
            return True
        self._write()
        return True

    def _write(self) -> None:
        assert self._rows is not None
        self._rows.write()
        self._rows = None

    def close(self) -> None:
        """Log what was left out of the trail."""
        for row in self._rows.rows if self._rows is not None else ():
            logger.warning(
                "Left out of the empty audit trail, which can still go on from that of a copy",
                extra={"action": row["action"], "target": row["target"], "result": row["result"]},
            )


@contextmanager
def going_on(
    target: StorageTarget, *, identities: Sequence[Identity], database: str, now: datetime, before: str = ""
) -> Iterator[GoingOn]:
    """Let the trail go on in the block. One that has rows stays as it is, and one that is to go on from the backup
    `before` or a newer one waits for it. Raise `RecordsUnavailable`."""
    if not carried_trail.is_empty():
        yield GoingOn(target, identities=identities, database=database, now=now, rows=None)
        return
    with audit.rows_waiting() as rows:
        found = GoingOn(target, identities=identities, database=database, now=now, rows=rows, before=before)
        try:
            yield found
        finally:
            found.close()


def newest_at(target: StorageTarget, *, now: datetime) -> str:
    """Return the id of the newest backup of which the target lists a copy; empty where there is none. One dated in the
    future is not the newest: before a copy is opened its id is its time. Raise kinds of `TargetFailed`."""
    last = layout.id_of(now + CLOCK_TOLERANCE, ending="_99")
    ids = (copy_manifest.backup_id_of(head.name) or "" for head in target.list_objects())
    return max((one for one in ids if one <= last), default="")


def is_empty() -> bool:
    """Return whether the trail here can still go on from that of a copy. Raise `RecordsUnavailable`."""
    return carried_trail.is_empty()
