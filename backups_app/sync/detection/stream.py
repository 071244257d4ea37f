"""What changed on a side since the last sync, reported by its change stream: work in proportion to the changes.

A sync announces its generation in `backup_sync_state` before it reads: when that very change arrives in the stream,
everything that happened before it has arrived too. The token behind it is where the next sync goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pymongo.errors import OperationFailure

from backups_app.catalog.sync import sync_state
from backups_app.errors import DatabaseRefused, TempleOpsError
from backups_app.messages import sync as messages
from backups_app.mongo import change_events, connections, raw_ids
from backups_app.mongo.change_events import StreamBroken as StreamBroken
from backups_app.mongo.change_events import Touched as Touched
from backups_app.mongo.exact_writes.live_documents import RAW
from backups_app.progress import Progress
from backups_app.records import INTERNAL
from backups_app.sync.sides import SideAccess

CATCH_UP_SECONDS = 120.0
_WAIT_MILLISECONDS = 1_000


def here_and_now(access: SideAccess) -> Mapping[str, Any] | None:
    """Return a token for this moment, to be taken before a scan begins; None where the side has no change stream."""
    if access.session is None:
        return None
    try:
        with connections.reachable(access.side), access.database.watch([_wanted(None)]) as stream:
            return stream.resume_token
    except (OperationFailure, DatabaseRefused):  # no right to watch
        return None


def read(
    access: SideAccess,
    *,
    token: Mapping[str, Any],
    generation: int | None,
    echo: Mapping[str, Any] | None,
    progress: Progress,
) -> Touched:
    """Read everything from `token` to the announcement of `generation` (None: to what is there now).

    What the last sync's own transactions wrote, `echo`, is left out by the server. Raise `StreamBroken` when the
    history is gone or the stream does not catch up, `DatabaseUnreachable`.
    """
    database = access.database.with_options(codec_options=RAW)
    deadline = time.monotonic() + CATCH_UP_SECONDS
    try:
        with (
            connections.reachable(access.side),
            database.watch(
                [_wanted(echo), _SLIM],
                start_after=token,
                max_await_time_ms=_WAIT_MILLISECONDS,
                batch_size=10_000,
            ) as stream,
        ):
            touched = Touched(token=token)
            while time.monotonic() < deadline:
                change = stream.try_next()
                if change is None and generation is None:
                    return touched
                if change is None:
                    continue
                if change["ns"].get("coll") == sync_state.NAME:
                    if change["updateDescription"]["updatedFields"]["next_generation"] != generation:
                        continue  # of an earlier sync that did not come to its end
                    touched.token = _plain(stream.resume_token)
                    return touched
                _note(touched, change)
                progress.checkpoint()
    except DatabaseRefused as error:
        raise StreamBroken(messages.STREAM_NOT_ALLOWED()) from error
    except OperationFailure as error:
        raise change_events.refused(error) from error
    except (TempleOpsError, StreamBroken):
        raise
    except Exception as error:
        raise StreamBroken(messages.STREAM_UNREADABLE(error=type(error).__name__)) from error
    raise StreamBroken(messages.STREAM_DID_NOT_CATCH_UP())


def _note(touched: Touched, change: Mapping[str, Any]) -> None:
    key = change.get("documentKey")
    change_events.note(
        touched,
        kind=change["operationType"],
        name=change["ns"].get("coll", ""),
        to=change.get("to", {}).get("coll", ""),
        raw_id=b"" if key is None else raw_ids.id_of(bytes(key.raw)),
    )


def _wanted(echo: Mapping[str, Any] | None) -> dict[str, Any]:
    """Announcements of every generation pass: the saved token is one, and a stream resumes only after what it shows."""
    announced = {"ns.coll": sync_state.NAME, _ANNOUNCED: {"$exists": True}}
    temple: dict[str, Any] = {"ns.coll": {"$nin": sorted(INTERNAL)}}
    if echo:
        numbers = {"$gt": echo["after"], "$lte": echo["last"]}
        temple["$nor"] = [{"lsid.id": echo["session"], "txnNumber": numbers}]
    return {"$match": {"$or": [temple, announced]}}


_ANNOUNCED = "updateDescription.updatedFields.next_generation"
_SLIM = {"$project": {"operationType": 1, "ns.coll": 1, "to.coll": 1, "documentKey._id": 1, _ANNOUNCED: 1}}


def _plain(token: Any) -> dict[str, Any]:
    return {key: token[key] for key in token}
