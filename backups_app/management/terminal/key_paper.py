"""What `backup_keys new` prints: the line for `.env`, the private key, and the paper that a new machine needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backups_app.storage.encryption import KeyPair

_BY_HAND = (
    ("MONGODB_LOCAL_URL", "of the new machine"),
    ("MONGODB_CLOUD_URL", "if there is one"),
    ("DATABASE_NAME", ""),
    ("BACKUP_TARGETS", "with its BACKUP_TARGET_… access keys"),
    ("AUDIT_KEY", "or the file .audit_key: without it the audit trail cannot be checked"),
    ("SECRET_KEY", "or the file .secret_key: without it everybody signs in again"),
    ("DATABASE_URL", "if it is not SQLite"),
    ("EMAIL_URL, NOTIFY_URLS, HEALTHCHECK_URL", "if messages are sent"),
)


def lines(pair: KeyPair, *, recipients: str, written_to: Path | None) -> Iterator[str]:
    """Yield the paper. With `written_to` the private key stands in that file and is not printed. `recipients` is the
    value of `BACKUP_COPY_RECIPIENTS` with the new public key."""
    yield "1. On this machine, in .env (all keys of this line can open the next copies; leave out one that is lost):"
    yield ""
    yield f"   BACKUP_COPY_RECIPIENTS={recipients}"
    yield ""
    if written_to is None:
        yield "2. The private key. It is shown once and stored nowhere:"
        yield ""
        yield f"   {pair.private}"
    else:
        yield f"2. The private key stands in {written_to.resolve()}, for its owner alone. Move it off this machine."
    yield ""
    yield "   Print it twice. One paper into the temple's safe, one to a second person who keeps it elsewhere."
    yield "   Without it nobody can open the copies, not even you. With it anybody can who has the copies."
    yield ""
    yield "3. On the same paper write what a new machine needs, from .env (by hand, or print .env and lock it away):"
    yield ""
    yield f"   BACKUP_COPY_RECIPIENTS = {recipients}"
    yield "      (put the same line into the .env of the new machine, so that its copies are encrypted too)"
    for name, why in _BY_HAND:
        yield f"   {name} = ____________________" + (f"   ({why})" if why else "")
    yield ""
    yield "4. Copy a backup, then prove that the key opens it. Only then do the copies count:"
    yield ""
    yield "   manage.py backup_copy latest"
    yield "   manage.py backup_keys test --identity FILE"
