"""The two MongoDB servers of the demo, and how other commands find them while they run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from backups_app import configuration
from backups_app.mongo import embedded
from backups_app.mongo.embedded import EmbeddedServer


def others_are_configured() -> bool:
    """Whether the environment or `.env` names databases, so that the demo's own stay off."""
    if settings.DEMO:  # left by a demo that was killed: it names its own
        return False
    configured = configuration.current()
    return bool(configured.local_url or configured.cloud_url or os.environ.get("DATABASE_URL"))


@contextmanager
def running(base_dir: Path) -> Iterator[Mapping[str, str]]:
    """Start both servers, data under `.demo/`, and yield the environment that leads to them.

    It also stands in `.demo/env` as long as they run, where the settings of any other command find it. Raise
    `MongodMissing`, `MongodDidNotStart`.
    """
    folder = base_dir / ".demo"
    if not os.environ.get("BACKUP_DIR"):  # a store makes its own folder, never the one above it
        (base_dir / "backups").mkdir(mode=0o700, exist_ok=True)
    mongod = embedded.find()
    with contextlib.ExitStack() as stack:
        local, atlas = (
            stack.enter_context(EmbeddedServer(data_dir=folder / name, replica_set=name, mongod=mongod))
            for name in ("local", "atlas")
        )
        environment = {
            "TEMPLEOPS_DEMO": "true",
            "MONGODB_LOCAL_URL": local.uri,
            "MONGODB_CLOUD_URL": atlas.uri,
            # People whose passwords everybody knows, and backups of a temple that does not exist: kept apart from
            # real ones, should `.env` name real servers later.
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "BACKUP_DIR": os.environ.get("BACKUP_DIR") or "backups/demo",
            "ALLOW_PLAIN_HTTP": "true",
            # Messages of the demo go nowhere: each is a file that one can read.
            "EMAIL_URL": f"file://{folder / 'mail'}",
            "DEFAULT_FROM_EMAIL": "Temple backups <backup@temple.example>",
        }
        path = folder / "env"
        path.write_text("".join(f"{name}={value}\n" for name, value in environment.items()), encoding="utf-8")
        stack.callback(path.unlink, missing_ok=True)
        yield environment
