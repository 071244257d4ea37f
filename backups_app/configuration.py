"""What the operator decided: every setting, read once from the environment and `.env`.

The names are a promise (`docs/operations.md`); each is explained in `.env.example`.
Operations never read this module: use cases, runs and faces do, and hand values down.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

from django.conf import settings
from environs import Env
from marshmallow import ValidationError, validate
from pyrage import RecipientError
from pyrage.x25519 import Recipient

from backups_app import mail_url, target_settings, url_parts
from backups_app.target_settings import TargetSettings

Engine = Literal["auto", "mongodump", "python"]
Compression = Literal["none", "gzip"]

LONGEST_SECONDS, LONGEST_DAYS = 7 * 24 * 3600, 36_500
SHORTEST_TOKEN = 16
LONGEST_LABEL = 100
_TOKEN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
MOST_KEPT = 1_000
_NOT_IN_A_NAME = frozenset('/\\. "$\0')
_SERVERS_OWN = frozenset({"admin", "local", "config"})
_BEFORE_A_SCHEME = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")


class Secret(str):
    """A value that code may use and nobody may print: a URI with its password, a key."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Every setting of Backup Management. Durations are in seconds unless the name says days."""

    primary_database: str = "local"
    local_url: Secret = field(default=Secret(""), repr=False)
    cloud_url: Secret = field(default=Secret(""), repr=False)
    database_name: str = "temple_db"
    backup_dir: Path = Path("backups")
    backup_engine: str = "auto"
    backup_compression: Compression = "none"
    incremental_max_chain: int = 96
    mongodump_timeout_seconds: int = 300
    sync_failure_policy: str = "backup_only"
    backup_sync_wait_seconds: int = 300
    sync_deletes: str = "propagate"
    sync_exclude: tuple[str, ...] = ()
    sync_proof_days: int = 7
    purge_ledger_days: int = 90
    min_keep: int = 3
    lease_seconds: int = 60
    allow_plain_http: bool = False
    site_url: str = ""
    email_url: Secret = field(default=Secret(""), repr=False)
    default_from_email: str = ""
    notify_urls: tuple[Secret, ...] = field(default=(), repr=False)
    healthcheck_url: Secret = field(default=Secret(""), repr=False)
    rehearsal_days: int = 30
    metrics_token: Secret = field(default=Secret(""), repr=False)
    instance_name: str = ""
    targets: tuple[TargetSettings, ...] = field(default=(), repr=False)
    copy_recipients: tuple[str, ...] = ()
    copies_in_clear: bool = False
    copy_identity_file: Path | None = None

    @property
    def is_local(self) -> bool:
        """Backup features exist only when the primary database is the local one."""
        return self.primary_database == "local"

    @property
    def sync_enabled(self) -> bool:
        return bool(self.cloud_url)

    @property
    def backs_up_without_atlas(self) -> bool:
        """Whether a run whose sync failed makes a backup all the same."""
        return not self.sync_enabled or self.sync_failure_policy != "abort"


def read(env: Env, *, base_dir: Path) -> Configuration:
    """Given a deferred `environs` reader, read every setting. Wrong ones are collected by `env` and
    reported together, by name, when the caller seals it."""
    seconds, days = validate.Range(min=1, max=LONGEST_SECONDS), validate.Range(min=1, max=LONGEST_DAYS)
    recipients = env.str("BACKUP_COPY_RECIPIENTS", "", validate=_are_public_keys) or ""
    backup_dir = Path(env.str("BACKUP_DIR", "backups", validate=_may_be_a_folder(base_dir)) or "backups")
    return Configuration(
        primary_database=env.str("PRIMARY_DATABASE", "local", validate=validate.OneOf(["local", "cloud"])),
        local_url=Secret(env.str("MONGODB_LOCAL_URL", "") or ""),
        cloud_url=Secret(env.str("MONGODB_CLOUD_URL", "") or ""),
        database_name=env.str("DATABASE_NAME", "temple_db", validate=_is_a_database_name),
        backup_dir=backup_dir if backup_dir.is_absolute() else base_dir / backup_dir,
        backup_engine=env.str("BACKUP_ENGINE", "auto", validate=validate.OneOf(["auto", "mongodump", "python"])),
        backup_compression="gzip" if _is_gzip(env) else "none",
        incremental_max_chain=env.int("INCREMENTAL_MAX_CHAIN", 96, validate=validate.Range(min=1, max=MOST_KEPT)),
        mongodump_timeout_seconds=env.int("MONGODUMP_TIMEOUT_SECONDS", 300, validate=seconds),
        sync_failure_policy=env.str(
            "SYNC_FAILURE_POLICY", "backup_only", validate=validate.OneOf(["backup_only", "abort"])
        ),
        backup_sync_wait_seconds=env.int(
            "BACKUP_SYNC_WAIT_SECONDS", 300, validate=validate.Range(min=0, max=LONGEST_SECONDS)
        ),
        sync_deletes=env.str("SYNC_DELETES", "propagate", validate=validate.OneOf(["propagate", "keep"])),
        sync_exclude=_names(env.str("SYNC_EXCLUDE", "", validate=_are_names) or ""),
        sync_proof_days=env.int("SYNC_PROOF_DAYS", 7, validate=days),
        purge_ledger_days=env.int("PURGE_LEDGER_DAYS", 90, validate=days),
        min_keep=env.int("MIN_KEEP", 3, validate=validate.Range(min=1, max=MOST_KEPT)),
        lease_seconds=env.int("LEASE_SECONDS", 60, validate=seconds),
        allow_plain_http=env.bool("ALLOW_PLAIN_HTTP", False),
        site_url=(env.str("SITE_URL", "", validate=_is_an_address) or "").rstrip("/"),
        email_url=Secret(env.str("EMAIL_URL", "", validate=_is_a_mail_url) or ""),
        default_from_email=env.str("DEFAULT_FROM_EMAIL", "", validate=_is_one_line) or "",
        notify_urls=tuple(Secret(url) for url in _urls(env.str("NOTIFY_URLS", "") or "")),
        healthcheck_url=Secret(env.str("HEALTHCHECK_URL", "", validate=_is_an_address) or ""),
        rehearsal_days=env.int("REHEARSAL_DAYS", 30, validate=days),
        instance_name=env.str("INSTANCE_NAME", "", validate=_is_a_label) or "",
        metrics_token=Secret(env.str("METRICS_TOKEN", "", validate=_is_a_token) or ""),
        targets=_targets(env.str("BACKUP_TARGETS", "", validate=_are_targets) or ""),
        copy_recipients=() if in_clear(recipients) else _names(recipients),
        copies_in_clear=in_clear(recipients),
        copy_identity_file=_path(env.str("BACKUP_COPY_IDENTITY_FILE", "") or "", base_dir=base_dir),
    )


def _is_gzip(env: Env) -> bool:
    return env.str("BACKUP_COMPRESSION", "none", validate=validate.OneOf(["none", "gzip"])) == "gzip"


def _urls(given: str) -> tuple[str, ...]:
    """Split at commas and spaces before a scheme: an address may hold both inside."""
    found = (url.strip().rstrip(",") for url in _BEFORE_A_SCHEME.split(given.strip()))
    return tuple(dict.fromkeys(url for url in found if url))


def _is_an_address(given: str) -> None:
    if given and not url_parts.is_of_the_web(given):
        raise ValidationError("An address that begins with https:// or http://, without a user or password.")


def _is_a_mail_url(given: str) -> None:
    try:
        mail_url.parse(given)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _is_one_line(given: str) -> None:
    if not given.isprintable() or (given and "@" not in parseaddr(given)[1]):
        raise ValidationError("One e-mail address, or a name before it: Temple backups <backup@temple.org>")


def _names(given: str) -> tuple[str, ...]:
    """Each name once: of a JSON array as it stands there; between commas without the spaces around it."""
    if not given.strip().startswith("["):
        return tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    try:
        return tuple(dict.fromkeys(json.loads(given)))
    except (ValueError, TypeError):
        return ()


def _is_a_token(given: str) -> None:
    if given and (len(given) < SHORTEST_TOKEN or not _TOKEN.fullmatch(given)):
        raise ValidationError(f"At least {SHORTEST_TOKEN} letters, digits, - and _: openssl rand -hex 32 makes one.")


def _is_a_label(given: str) -> None:
    if not given.isprintable() or len(given) > LONGEST_LABEL:
        raise ValidationError(f"One line of at most {LONGEST_LABEL} characters, such as the temple's name.")


def _targets(given: str) -> tuple[TargetSettings, ...]:
    try:
        return target_settings.parse(given, environment=os.environ)
    except ValueError:  # it was named by the check of the value
        return ()


def _are_targets(given: str) -> None:
    try:
        target_settings.parse(given, environment=os.environ)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def in_clear(recipients: str) -> bool:
    """Whether BACKUP_COPY_RECIPIENTS says by a word that copies are not to be encrypted."""
    return recipients.strip().lower() == "none"


def _are_public_keys(given: str) -> None:
    """The value is never repeated: a private key that was put there by mistake must not reach a log."""
    for text in () if in_clear(given) else _names(given):
        try:
            Recipient.from_str(text)
        except RecipientError:
            raise ValidationError(
                "Public keys of age (age1…), separated by commas: manage.py backup_keys new makes one. A private key "
                "never stands here."
            ) from None


def _path(given: str, *, base_dir: Path) -> Path | None:
    return base_dir / given if given.strip() else None


def _are_names(given: str) -> None:
    if not given.strip().startswith("["):
        return
    try:
        names = json.loads(given)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValidationError('Begins with [ and is no JSON array of names, such as ["a,b", " halls "].')


def _is_a_database_name(name: str) -> None:
    if not name or len(name.encode()) > 63 or set(name) & _NOT_IN_A_NAME:
        raise ValidationError('Not a name of a database: no spaces, dots, slashes, $ or ", at most 63 bytes.')
    if name in _SERVERS_OWN:
        raise ValidationError("That database is the server's own: name the temple's.")


def _may_be_a_folder(base_dir: Path) -> Callable[[str], None]:
    def check(given: str) -> None:
        path = base_dir / given
        there = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
        if not there.is_dir():
            raise ValidationError(f"{'It' if there == path else 'A part of it'} is a file or a broken link, no folder.")

    return check


def current() -> Configuration:
    """Return the configuration in force. Tests replace it with `override_settings(TEMPLEOPS=…)`."""
    configuration = settings.TEMPLEOPS
    assert isinstance(configuration, Configuration)
    return configuration
