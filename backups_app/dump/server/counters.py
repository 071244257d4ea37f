"""May the server's own counter of a collection stand for a count of its documents?

The counter costs nothing and is right, but after an unclean stop or a rollback of the replica set. So it is trusted
only where it was right when the base was made, for every document was read then, and where the same process has been
primary ever since: an election gives an id that never comes again, and without one there is no rollback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from backups_app.records import CollectionInfo


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What the counters of a replica set stated while a full backup was made: `documents` by collection, of those that
    stood still. `reign` names the process that was primary and the election that made it so; empty where nobody knows.
    """

    reign: str = ""
    documents: Mapping[str, int] = field(default_factory=dict)

    def confirm(self, database: Database[Any], *, name: str, in_base: int, before: int | None, found: int) -> bool:
        """Whether a collection holds `found` documents, by its counter as it was `before` a snapshot and as it is now.
        `in_base` is what the base holds of it. False also where the counter may not be trusted."""
        if not self.reign or self.documents.get(name) != in_base or before != found:
            return False
        stats = database.command("collStats", name)
        return stats.get("count") == found and reign(database) == self.reign


def reign(database: Database[Any]) -> str:
    """Return which process is primary, since which election; empty where the server does not say."""
    hello = database.client.admin.command("hello")
    process = hello.get("topologyVersion", {}).get("processId")
    election = hello.get("electionId")
    return f"{process} {election}" if process is not None and election is not None else ""


def noted(*, reigns: tuple[str, str], before: Iterable[CollectionInfo], after: Iterable[CollectionInfo]) -> Counters:
    """Return what a full backup keeps: `reigns` and counters are of the moments before and after it was made."""
    if reigns[0] != reigns[1]:
        return Counters()
    then = {info.name: info.documents for info in after}
    same = {
        info.name: info.documents
        for info in before
        if info.type == "collection" and info.documents is not None and then.get(info.name) == info.documents
    }
    return Counters(reign=reigns[0], documents=same)
