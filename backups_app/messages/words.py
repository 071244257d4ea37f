"""Words that stand at a place of many sentences."""

from __future__ import annotations

from backups_app.messages.message import Message, Sentence

LOCAL = Sentence("side_local", "local")
REMOTE = Sentence("side_remote", "remote")
DOCUMENTS = Sentence("documents", "{n} document", "{n} documents")
COLLECTIONS = Sentence("collections", "{n} collection", "{n} collections")

NAMES_AND_MORE = Sentence("names_and_more", "{names} and {n} more")
INCREMENTALS = Sentence("incremental_backups", "{n} incremental backup", "{n} incremental backups")


def side(name: str) -> str:
    """Return the word for `local` or `remote`; any other name as it is."""
    return {"local": LOCAL, "remote": REMOTE}[str(name)]() if str(name) in ("local", "remote") else name


def documents(n: int) -> Message:
    """Return `1 document`, `50 documents`."""
    return DOCUMENTS(n=n)


DEVICE = Sentence("device", "{browser} on {system}")
DEVICE_UNKNOWN = Sentence("device_unknown_system", "{browser} on unknown")

COLLECTION = Sentence("type_collection", "collection")
VIEW = Sentence("type_view", "view")
TIMESERIES = Sentence("type_timeseries", "timeseries")
_TYPES = {"collection": COLLECTION, "view": VIEW, "timeseries": TIMESERIES}


def collection_type(name: str) -> str:
    """Return the word for a type of collection; a type that is not known here as it is."""
    return _TYPES[name]() if name in _TYPES else name
