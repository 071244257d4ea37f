"""The keys of copies: a new pair, and the test that a private key opens what is at a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyrage.x25519 import Identity

from backups_app.access.trail import audit
from backups_app.backup_files import durable
from backups_app.configuration import Configuration
from backups_app.copying import damage
from backups_app.errors import (
    InvalidInput,
    KeyOfNoRecipient,
    NoCopyToTest,
    NoTarget,
    RecipientsMissing,
    TempleOpsError,
    WrongKey,
)
from backups_app.messages import use_cases as messages
from backups_app.records import Origin
from backups_app.storage import copy_reading, encryption, key_proofs
from backups_app.storage.copy_manifest import Contents
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.encryption import KeyPair
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.readiness import readiness

ACTION = "copy_key.test"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A copy that a private key opened: its manifest and one of its files, read whole."""

    target: str
    backup_id: str
    file: str
    size_bytes: int
    recipients: tuple[str, ...]


def recipients_with(configuration: Configuration, public: str) -> str:
    """Return the value of `BACKUP_COPY_RECIPIENTS` that adds a public key to the present ones."""
    return ",".join(dict.fromkeys([*configuration.copy_recipients, public]))


def write_private_key(path: Path, pair: KeyPair, *, now: datetime) -> None:
    """Write a key file as age writes it, for its owner alone. Raise InvalidInput where the file is there already,
    `FolderNotWritable`, `DiskFull`, `StorageFailed`."""
    text = f"# created: {now.isoformat(timespec='seconds')}\n# public key: {pair.public}\n{pair.private}\n"
    if path.exists() or path.is_symlink():
        raise InvalidInput(message=messages.KEY_FILE_EXISTS())
    with durable.DurableFile(path) as file:
        file.write(text.encode())
    durable.fsync_directory(path.parent)


def test(
    *,
    configuration: Configuration,
    target: StorageTarget,
    identities: Sequence[Identity],
    requested_by: str,
    origin: Origin,
    now: datetime,
) -> Opened:
    """Open the newest copy at a target that was made to the present recipients: its manifest, and the smallest file
    that is not empty, to the last byte. From then on the key is trusted.

    Raise `RecipientsMissing`, `KeyOfNoRecipient`, `NoCopyToTest`, `WrongKey`,
    `CopyDamaged` and other kinds of `TargetFailed`.
    """
    readiness.require_local(configuration)
    require_recipient(configuration, identities)
    try:
        opened = _opened(configuration, target, identities)
    except TempleOpsError as error:
        _on_record(requested_by, origin, now, target=target.name, result=error.code)
        raise
    _on_record(requested_by, origin, now, target=target.name, result="opened", backup_id=opened.backup_id)
    key_proofs.record(recipients=opened.recipients, target=target.name, backup_id=opened.backup_id, by="test", now=now)
    return opened


def targets_to_test(
    *,
    configuration: Configuration,
    named: str,
    identities: Sequence[Identity],
    requested_by: str,
    origin: Origin,
    now: datetime,
) -> list[str]:
    """Return the target that is named, or every one of the settings. What is refused before a target is asked is on
    record as refused. Raise `RecipientsMissing`, `KeyOfNoRecipient`, `NoTarget`."""
    readiness.require_local(configuration)
    try:
        require_recipient(configuration, identities)
        if not named and not configuration.targets:
            raise NoTarget()
    except TempleOpsError as error:
        _on_record(requested_by, origin, now, target=named, result=error.code)
        raise
    return [named] if named else [one.name for one in configuration.targets]


def require_recipient(configuration: Configuration, identities: Sequence[Identity]) -> None:
    """Raise `RecipientsMissing` where copies are not encrypted, `KeyOfNoRecipient` where none of these private keys
    would open the next copies."""
    if not configuration.copy_recipients:
        raise RecipientsMissing()
    public = encryption.public_keys(identities)
    if not set(public) & set(configuration.copy_recipients):
        raise KeyOfNoRecipient(public=public[0])


def _opened(configuration: Configuration, target: StorageTarget, identities: Sequence[Identity]) -> Opened:
    wanted, failure = set(configuration.copy_recipients), None
    for found in copy_reading.find(target):
        try:
            with damage.noted(target, found):
                contents = copy_reading.open_contents(found, identities=identities)
                if _proven(found, contents, identities) == wanted:
                    return _read_one(target, found, contents, identities)
        except WrongKey:  # made to earlier recipients
            continue
        except TempleOpsError as error:
            failure = failure or error
    raise failure or NoCopyToTest(target=target.name)


def _proven(found: FoundCopy, contents: Contents, identities: Sequence[Identity]) -> set[str]:
    assert found.manifest is not None
    return set(key_proofs.recipients_proven(found.manifest, contents, identities=identities))


def _read_one(target: StorageTarget, found: FoundCopy, contents: Contents, identities: Sequence[Identity]) -> Opened:
    assert found.manifest is not None
    smallest = min(contents.files, key=lambda file: (not file.size_bytes, file.size_bytes, file.path))
    copy_reading.receive(target, manifest=found.manifest, file=smallest, into=_Nothing(), identities=identities)
    return Opened(
        target=target.name,
        backup_id=found.backup_id,
        file=smallest.path,
        size_bytes=smallest.size_bytes,
        recipients=contents.recipients,
    )


def _on_record(
    requested_by: str, origin: Origin, now: datetime, *, target: str, result: str, backup_id: str = ""
) -> None:
    audit.record(
        actor=requested_by, origin=origin, action=ACTION, target=target, result=result, now=now,
        details={"backup_id": backup_id} if backup_id else {},
    )  # fmt: skip


class _Nothing:
    """Takes what is read only to be compared."""

    def write(self, data: bytes) -> int:
        return len(data)
