"""Words that stand at a place of many sentences."""

from __future__ import annotations

from backups_app.messages.message import Message, Sentence

LOCAL = Sentence("side_local", "local")
REMOTE = Sentence("side_remote", "remote")
DOCUMENTS = Sentence("documents", "{n} document", "{n} documents")
COLLECTIONS = Sentence("collections", "{n} collection", "{n} collections")


def side(name: str) -> str:
    """Return the word for `local` or `remote`; any other name as it is."""
    return {"local": LOCAL, "remote": REMOTE}[str(name)]() if str(name) in ("local", "remote") else name


def documents(n: int) -> Message:
    """Return `1 document`, `50 documents`."""
    return DOCUMENTS(n=n)
