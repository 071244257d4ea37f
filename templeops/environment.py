"""Where settings come from: the environment, then `.env`, then the servers of a running `make run`."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

KNOWN = (
    "PRIMARY_DATABASE", "MONGODB_LOCAL_URL", "MONGODB_CLOUD_URL", "DATABASE_NAME", "BACKUP_DIR", "BACKUP_ENGINE",
    "MONGODUMP_TIMEOUT_SECONDS", "SYNC_FAILURE_POLICY", "BACKUP_SYNC_WAIT_SECONDS", "SYNC_DELETES", "SYNC_EXCLUDE",
    "SYNC_PROOF_DAYS", "PURGE_LEDGER_DAYS", "LEASE_SECONDS", "ALLOW_PLAIN_HTTP", "DEBUG", "SECRET_KEY",
    "ALLOWED_HOSTS", "DATABASE_URL", "TIME_ZONE", "JOBS_BROKER_URL", "AUDIT_KEY", "TRUSTED_PROXIES",
    "SITE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "NOTIFY_URLS", "HEALTHCHECK_URL",
    "REHEARSAL_DAYS", "METRICS_TOKEN", "MIN_KEEP", "BACKUP_COMPRESSION", "INCREMENTAL_MAX_CHAIN",
    "BACKUP_TARGETS", "BACKUP_COPY_RECIPIENTS", "BACKUP_COPY_IDENTITY_FILE",
    "LOG_FORMAT", "INSTANCE_NAME",
)  # fmt: skip
"""The settings of `.env.example`: a test compares."""
AS_IT_STANDS = frozenset({"MONGODB_LOCAL_URL", "MONGODB_CLOUD_URL", "SECRET_KEY", "AUDIT_KEY"})
"""A line break in a URL is a mistake of copying that may have cut it short: it is named, not mended."""
NAMES_A_DATABASE = ("MONGODB_LOCAL_URL", "MONGODB_CLOUD_URL", "DATABASE_URL")


def load(*, base_dir: Path) -> None:
    """Add to the environment what `.env` says; and what `.demo/env` says, if nothing so far names a database of any
    kind: a real one always wins, and the demo's people, whose passwords everybody knows, never come near it.

    An empty value is as good as none, in a file or in the environment, and so are spaces around one.
    """
    for name in KNOWN:
        _tidy(name)
    _add(base_dir / ".env")
    if not any(name in os.environ for name in NAMES_A_DATABASE):
        _add(base_dir / ".demo" / "env")


def _add(path: Path) -> None:
    # Not interpolated: a password may hold a ${.
    for name, value in dotenv_values(path, interpolate=False).items():
        if value and not os.environ.get(name):
            os.environ[name] = value
            _tidy(name)


def _tidy(name: str) -> None:
    value = os.environ.get(name)
    if value is None:
        return
    if not value.strip():
        del os.environ[name]
    elif name in KNOWN and name not in AS_IT_STANDS:
        os.environ[name] = value.strip()
