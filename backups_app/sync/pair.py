"""Do these two databases belong together, and is neither older than the other remembers?

Each sync announces the next generation on both sides, remote first, and makes it the current one at its end, remote
first again. So in every state that a crash can leave

    local.generation ≤ remote.generation ≤ local.next_generation ≤ remote.next_generation

and whatever breaks this chain was restored from elsewhere. A remote that went back is always seen, for the base lies
with the local side; a local side that went back takes its base with it, which is as safe as a crash.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.catalog.sync import sync_base, sync_state
from backups_app.errors import DatabaseSpelledOtherwise, OwnershipLost, PairMismatch, SideRolledBack
from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.sync import sides

Mark = Mapping[str, Any]
_DATABASE_DIFFERS_IN_CASE = 13297
_ALREADY_THERE = re.compile(r"already have: \[(.+?)\]")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A sync that has announced itself on both sides. `checkpoint` is what the last one left in the local mark."""

    pair: str
    generation: int
    first: bool
    """No sync of this pair has come to its end yet."""
    checkpoint: Mark = field(default_factory=dict)


def require_spelling(database: Database[Any], *, side: Side) -> None:
    """Raise `DatabaseSpelledOtherwise` when the server has a database of this name in other capital letters: it would
    refuse each write. A user who may not list databases is not asked. Raise `DatabaseUnreachable`."""
    with connections.reachable(side):
        try:
            names = database.client.list_database_names()
        except OperationFailure as error:
            if connections.is_unreachable(error):
                raise
            return
    there = next((name for name in names if name.lower() == database.name.lower()), database.name)
    if database.name not in names and there != database.name:
        raise DatabaseSpelledOtherwise(database=database.name, side=side.value, there=there)


@contextmanager
def _one_spelling(database: Database[Any]) -> Iterator[None]:
    """Name what the server says to a first write where it has a database in other capital letters."""
    try:
        yield
    except OperationFailure as error:
        if error.code != _DATABASE_DIFFERS_IN_CASE:
            raise
        found = _ALREADY_THERE.search(str(error))
        there = found.group(1) if found else "…"
        raise DatabaseSpelledOtherwise(database=database.name, side=Side.REMOTE.value, there=there) from error


def require_known(*, local: Database[Any], remote: Database[Any]) -> None:
    """Look at both marks and write nothing. Raise `PairMismatch`, `SideRolledBack`, `DatabaseUnreachable`.

    A pair that was never synced is not known: `PairMismatch`.
    """
    _require_two_servers(local, remote)
    here, there = _marks(local, remote)
    if there is None:
        require_spelling(remote, side=Side.REMOTE)
    if here is None and there is None:
        raise PairMismatch(reason=messages.THEY_WERE_NEVER_SYNCED())
    _require_fit(local, remote, here, there)


def inspect(*, local: Database[Any], remote: Database[Any]) -> Attempt:
    """As `begin`, for a dry run: write nothing."""
    _require_two_servers(local, remote)
    here, there = _marks(local, remote)
    if there is None:
        require_spelling(remote, side=Side.REMOTE)
    if here is None and there is None:
        return Attempt(pair="", generation=0, first=True)
    if here is None or there is not None or not _never_announced(here):
        _require_fit(local, remote, here, there)
    assert here is not None
    return Attempt(pair=here["pair"], generation=here["next_generation"], first=not here["generation"], checkpoint=here)


def begin(*, local: Database[Any], remote: Database[Any], adopt: bool) -> Attempt:
    """Recognise the pair, or make it when neither side has a mark, and announce the next generation on both.

    `adopt` drops the base and pairs the two again, whatever the marks say: the union of both, no deletions. Raise
    `PairMismatch`, `SideRolledBack` or `DatabaseSpelledOtherwise` before anything is written, `DatabaseUnreachable`.
    """
    _require_two_servers(local, remote)
    if adopt:
        _adopt(local, remote)
    here = _own_mark(local) or _create_pair(local, remote)
    _require_own(here, local, Side.LOCAL)
    with connections.reachable(Side.REMOTE), _one_spelling(remote):
        generation = sync_state.announce_remote(remote, local=here, role=Side.REMOTE.value)
        if generation is None:
            generation = _complete_or_refuse(local, remote, here)
    with connections.reachable(Side.LOCAL):
        announced = sync_state.announce_local(
            local, pair=here["pair"], expected=here["next_generation"], generation=generation
        )
    if not announced:
        raise OwnershipLost
    return Attempt(pair=here["pair"], generation=generation, first=not here["generation"], checkpoint=here)


def finish(*, local: Database[Any], remote: Database[Any], attempt: Attempt, checkpoint: Mark) -> None:
    """Make the announced generation the current one, remote first, and leave `checkpoint` in the local mark.

    Raise `OwnershipLost` when another sync has announced itself meanwhile.
    """
    with connections.reachable(Side.REMOTE):
        done = sync_state.finish(remote, pair=attempt.pair, generation=attempt.generation, changes={})
    if not done:
        raise OwnershipLost
    with connections.reachable(Side.LOCAL):
        done = sync_state.finish(local, pair=attempt.pair, generation=attempt.generation, changes=checkpoint)
    if not done:
        raise OwnershipLost


# ── the rows of the table ───────────────────────────────────────────────────────


def _require_two_servers(local: Database[Any], remote: Database[Any]) -> None:
    with connections.reachable(Side.LOCAL):
        here = sides.kind(local.client).process_id
    with connections.reachable(Side.REMOTE):
        there = sides.kind(remote.client).process_id
    if here and here == there:
        raise PairMismatch(reason=messages.SAME_SERVER_TWICE())


def _require_fit(local: Database[Any], remote: Database[Any], here: Mark | None, there: Mark | None) -> None:
    """Given both marks as read, raise what does not fit."""
    if here is None:
        assert there is not None
        _require_own(there, remote, Side.REMOTE)
        raise PairMismatch(reason=messages.ATLAS_PAIRED_OR_LOCAL_NEW())
    _require_own(here, local, Side.LOCAL)
    if there is None:
        raise PairMismatch(reason=messages.ATLAS_UNMARKED())
    if there["pair"] == here["pair"] and there["role"] == Side.LOCAL.value:
        raise PairMismatch(reason=messages.SAME_SERVER_TWICE())
    _require_own(there, remote, Side.REMOTE)
    if there["pair"] != here["pair"]:
        raise PairMismatch(reason=messages.ATLAS_PAIRED_ELSEWHERE())
    if there["generation"] < here["generation"] or there["next_generation"] < here["next_generation"]:
        raise SideRolledBack(side=Side.REMOTE.value)
    if there["generation"] > here["next_generation"]:
        raise SideRolledBack(side=Side.LOCAL.value)


def _require_own(mark: Mark, database: Database[Any], side: Side) -> None:
    if mark["role"] != side.value:
        raise PairMismatch(reason=messages.URLS_SWAPPED())
    if mark["database"] != database.name:
        raise PairMismatch(reason=messages.SYNCED_UNDER_ANOTHER_NAME(side=words.side(side.value)))


def _create_pair(local: Database[Any], remote: Database[Any]) -> Mark:
    """Mark the local side first: until it announces, a missing remote mark is what a crash leaves here."""
    with connections.reachable(Side.REMOTE):
        there = sync_state.read(remote)
    if there is None:
        require_spelling(remote, side=Side.REMOTE)
    else:
        _require_fit(local, remote, None, there)
    with connections.reachable(Side.LOCAL):
        sync_state.create(local, pair=secrets.token_hex(16), role=Side.LOCAL.value)
        here = sync_state.read(local)
    assert here is not None, "it was written just now"
    return here


def _never_announced(here: Mark) -> bool:
    return bool(here["next_generation"] == 0)


def _complete_or_refuse(local: Database[Any], remote: Database[Any], here: Mark) -> int:
    """The remote does not fit the local mark: mark it, if this pair is just being made; else say why and refuse."""
    there = sync_state.read(remote)
    if there is None:
        require_spelling(remote, side=Side.REMOTE)
    if there is None and _never_announced(here):
        sync_state.create(remote, pair=here["pair"], role=Side.REMOTE.value)
        there = sync_state.read(remote)
    _require_fit(local, remote, here, there)
    generation = sync_state.announce_remote(remote, local=here, role=Side.REMOTE.value)
    if generation is None:
        raise OwnershipLost
    return generation


def _adopt(local: Database[Any], remote: Database[Any]) -> None:
    """The base first: without it nothing is deleted, whatever the marks say afterwards."""
    pair = secrets.token_hex(16)
    require_spelling(remote, side=Side.REMOTE)
    with connections.reachable(Side.LOCAL):
        sync_base.clear(local)
        sync_state.replace(local, pair=pair, role=Side.LOCAL.value)
    with connections.reachable(Side.REMOTE), _one_spelling(remote):
        sync_state.replace(remote, pair=pair, role=Side.REMOTE.value)


def _own_mark(local: Database[Any]) -> Mark | None:
    with connections.reachable(Side.LOCAL):
        return sync_state.read(local)


def _marks(local: Database[Any], remote: Database[Any]) -> tuple[Mark | None, Mark | None]:
    here = _own_mark(local)
    with connections.reachable(Side.REMOTE):
        there = sync_state.read(remote)
    return here, there
