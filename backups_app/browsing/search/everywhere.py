"""What a search through live data and all backups has found so far, and where it goes on: ids and counts, no document.

    {"backups": ["20260131_090000", …], "at": 3, "collection": "bookings", "number": 40000,
     "documents": [{"collection": "bookings", "id": "0765…", "live": false,
                    "versions": [{"digest": "9f…", "number": 17, "runs": [[0, 3], [5, 5]]}]}], …}

Backups are named by their places in `backups`, newest first; `at` is -1 while live data is searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LIVE = -1
DOCUMENTS_LIMIT = 100
"""A search ends with so many documents: more words find fewer."""

COLLECTION_LIMIT = 50
SKIPPED_LIMIT = 100


@dataclass(kw_only=True, slots=True)
class FoundVersion:
    """The same bytes in one backup after another. `number` is its place in the newest of them; `runs` are stretches of
    `backups`, first and last."""

    digest: str
    number: int
    runs: list[list[int]]

    def add(self, at: int) -> None:
        """Note that the backup at this place holds it too."""
        if self.runs and at - self.runs[-1][1] in (0, 1):
            self.runs[-1][1] = at
        else:
            self.runs.append([at, at])

    def holds(self, at: int) -> bool:
        return any(first <= at <= last for first, last in self.runs)

    @property
    def places(self) -> list[int]:
        """The places of its backups, newest first."""
        return [at for first, last in self.runs for at in range(first, last + 1)]


@dataclass(kw_only=True, slots=True)
class FoundDocument:
    """One document by its `_id`: whether live data holds it, and its versions in backups, newest first. `raw_id` is
    empty for a document without an `_id`. `seen_in`: the call of the search that changed this last."""

    collection: str
    raw_id: bytes
    live: bool = False
    versions: list[FoundVersion] = field(default_factory=list)
    seen_in: int = 0

    @property
    def first_digest(self) -> str:
        """The digest of its newest version; empty where only live data holds it."""
        return self.versions[0].digest if self.versions else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """What could not be read, or not to its end: a collection (or all, "") of a backup (or live data, "")."""

    backup_id: str
    collection: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSearched:
    """Backups that are known of and were left out for one reason. `where`: the host or target that has them. `backups`
    are the newest hundred, by id; of a folder that is no backup, its name."""

    code: str
    where: str = ""
    count: int = 0
    backups: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class FindState:
    """`searched` counts documents that were looked at. `full` names collections of which no further document is taken.
    `last` is, by collection, the hash of the file that was searched last and its place; `percent` how much of a foreign
    file is read before it can be searched. `only_lost`: what is live on this computer is not
    wanted. `known_before`: how many documents were known before the last call. `live_next`: where live data goes on
    after the newest backup; `ahead`: how many backups were searched before the rest of it. `not_searched`: the backups
    that are not among `backups`."""

    backups: list[str]
    at: int = LIVE
    collection: str = ""
    number: int = 0
    step: int = 0
    searched: int = 0
    documents: list[FoundDocument] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_count: int = 0
    full: list[str] = field(default_factory=list)
    last: dict[str, list[Any]] = field(default_factory=dict)
    percent: int | None = None
    only_lost: bool = False
    known_before: int = 0
    live_next: list[Any] | None = None
    ahead: int = 0
    not_searched: list[NotSearched] = field(default_factory=list)

    @property
    def backups_searched(self) -> int:
        """How many backups are done with."""
        return self.ahead if self.at == LIVE else min(self.at, len(self.backups))

    @property
    def live_unsearched(self) -> bool:
        """Whether live data is not done with."""
        return not self.only_lost and (self.at == LIVE or self.live_next is not None)

    @property
    def next_backup(self) -> str:
        """The newest backup that is not done with; empty where all are."""
        left = self.backups[self.backups_searched :]
        return left[0] if left else ""

    @property
    def has_more(self) -> bool:
        """Whether something was not searched, also where enough was found."""
        return self.at < len(self.backups) or self.live_next is not None

    def leave_live(self) -> None:
        """Go to the newest backup now, and search the rest of live data after it."""
        self.live_next = [self.collection, self.number]
        self.at, self.collection, self.number = 0, "", 0

    def go_to_next(self) -> None:
        """The present source is done with: go to the one after it."""
        if self.live_next is not None:
            self.at, self.ahead = LIVE, self.at + 1
            (self.collection, self.number), self.live_next = self.live_next, None
        else:
            self.at, self.collection, self.number = (self.ahead if self.at == LIVE else self.at + 1), "", 0

    @property
    def is_full(self) -> bool:
        return len(self.documents) >= DOCUMENTS_LIMIT

    @property
    def finished(self) -> bool:
        """Whether nothing is left to search, or enough was found."""
        return self.is_full or not self.has_more

    @property
    def complete(self) -> bool:
        """Whether everything that is known of was searched to its end, and all that was found is named."""
        return not (self.has_more or self.full or self.is_full or self.skipped_count or self.not_searched)

    def changed(self) -> list[tuple[int, FoundDocument]]:
        """Return what the last call found, or found in further backups, with its number."""
        return [(n, one) for n, one in enumerate(self.documents) if one.seen_in == self.step]

    def skip(self, *, backup_id: str, collection: str, code: str) -> None:
        """Note what could not be read: all of it is counted, the first hundred are named."""
        self.skipped_count += 1
        if len(self.skipped) < SKIPPED_LIMIT:
            self.skipped.append(Skipped(backup_id=backup_id, collection=collection, code=code))


def as_json(state: FindState) -> dict[str, Any]:
    """Return the state as plain JSON."""
    return {
        **{name: getattr(state, name) for name in _PLAIN},
        "documents": [
            {
                "collection": one.collection,
                "id": one.raw_id.hex(),
                "live": one.live,
                "seen_in": one.seen_in,
                "versions": [{"digest": v.digest, "number": v.number, "runs": v.runs} for v in one.versions],
            }
            for one in state.documents
        ],
        "skipped": [[one.backup_id, one.collection, one.code] for one in state.skipped],
        "not_searched": [asdict(one) for one in state.not_searched],
    }


def from_json(stored: Mapping[str, Any]) -> FindState:
    """Return the state that `as_json` wrote."""
    return FindState(
        **{name: stored[name] for name in _PLAIN if name in stored},
        documents=[
            FoundDocument(
                collection=one["collection"],
                raw_id=bytes.fromhex(one["id"]),
                live=one["live"],
                seen_in=one["seen_in"],
                versions=[FoundVersion(**version) for version in one["versions"]],
            )
            for one in stored["documents"]
        ],
        skipped=[Skipped(backup_id=backup, collection=name, code=code) for backup, name, code in stored["skipped"]],
        not_searched=[
            NotSearched(**{**one, "backups": tuple(one["backups"])}) for one in stored.get("not_searched", ())
        ],
    )


_PLAIN = (
    "backups", "at", "collection", "number", "step", "searched", "skipped_count", "full", "last", "percent",
    "only_lost", "known_before", "live_next", "ahead",
)  # fmt: skip
