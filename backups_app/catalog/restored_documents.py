"""What a restore into the temple's database says of its documents before it writes the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.database import Database

from backups_app.catalog import purge_ledger, restored_ids
from backups_app.catalog.sync import sync_state
from backups_app.catalog.sync.sync_base import SyncBase
from backups_app.mongo import raw_ids

IsOne = Callable[[bytes], bool]
"""Given a key (`raw_ids.key`), whether it is one of the documents."""


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """What a restore says to the runs whose deletion is unfinished: their ids, its own, and `identities` of what it
    claims, as `restored_ids.remember` takes them."""

    run_ids: Sequence[str]
    restore: str
    identities: Iterable[bytes] | None
    now: datetime


def claim(
    database: Database[Any],
    *,
    collection: str,
    is_chosen: IsOne,
    is_put_back: IsOne,
    document: bytes | None,
    unfinished: Unfinished,
) -> None:
    """Claim the documents of a restore, also those that are in the database as the backup has them.

    1. No open purge deletes what `is_chosen`: it is released in the ledger. Of batches that an unfinished purge had not
       begun the ledger has no entry: `unfinished` names them.
    2. The next sync takes what `is_put_back` for edits of this side, so that Atlas gets what it lost instead of taking
       it away here. It looks at them whatever its streams report, for their base is whole again only then.

    After a crash in between less is deleted, and repeating is harmless. `document` is the raw id where one is restored.
    """
    restored_ids.remember(
        database,
        run_ids=unfinished.run_ids,
        collection=collection,
        restore=unfinished.restore,
        identities=unfinished.identities,
        now=unfinished.now,
    )
    purge_ledger.close_for_restore(database, collection=collection, is_chosen=is_chosen)
    base = SyncBase(database, name=collection, generation=None, expected=0)
    if not base.is_empty():
        ids = None if document is None else [document]
        sync_state.look_again(database, name=collection, ids=ids)
        base.mark_restored(is_put_back, among=None if ids is None else map(raw_ids.key, ids))
