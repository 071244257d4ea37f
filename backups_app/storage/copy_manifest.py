"""The manifest of a copy: which objects of the target are one backup. It is put there last: without it no copy.

    {"format": "templeops-copy", "version": 1, "backup_id": "20250119_143022", "base": null,
     "copied_at": "2025-01-19T14:40:00Z",
     "objects": [{"name": "object-4f0c…", "size_bytes": 812, "sha256": "…"}],
     "encrypted": true, "contents": "<age file, base64>"}

This readable part says sizes and times only: a backup's id is its time, the hashes are those of the stored bytes, and
the objects are in the order of their random names.
`contents` is JSON, encrypted where there are recipients: clear file names, clear hashes, the backup's `metadata.json`,
the recipients, the id of the site that made the copy. By hand: `jq -r .contents FILE | base64 -d | age -d -i KEY`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pyrage.x25519 import Identity

from backups_app import formats
from backups_app.errors import CopyUnreadable
from backups_app.messages.protection import storage as messages
from backups_app.storage import encryption, site_ids, target

FORMAT = "templeops-copy"
VERSION = 1
LARGEST_BYTES = 128 * 1024 * 1024
LARGEST_FILE_BYTES = 2**63 - 1
LONGEST_NAME_BYTES, LONGEST_PATH_BYTES = 255, 2_000
"""So long a file system takes the name of a file, and a path inside a backup's folder."""

OBJECT = "object-"
MANIFEST = "copy-"
_MANIFEST_NAME = re.compile(r"copy-([0-9]{8}-[0-9]{6}(?:-[0-9]{2})?)-[0-9a-f]{32}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ID = re.compile(r"[0-9]{8}_[0-9]{6}(_[0-9]{2})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object as it lies in the target. Size and hash are of the stored bytes."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class CopiedFile:
    """A file of the backup and the object that holds it. `path` is relative to the backup's folder, with forward
    slashes; size and hash are of the clear bytes."""

    path: str
    object: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What only the holder of a private key reads. `metadata` is the backup's `metadata.json`, `recipients` the public
    keys that the copy is encrypted to (none: it is not encrypted), `site` the object of `site.json`, `site_id` the site
    that made the copy; empty in one from before it was written."""

    files: tuple[CopiedFile, ...]
    metadata: Mapping[str, Any]
    recipients: tuple[str, ...] = ()
    site: CopiedFile | None = None
    site_id: str = ""


@dataclass(frozen=True, kw_only=True)
class CopyManifest:
    """The readable part of a manifest. `contents` is opened by `open_contents`."""

    backup_id: str
    base: str | None
    copied_at: datetime
    objects: tuple[StoredObject, ...]
    encrypted: bool
    contents: Any = field(repr=False)

    @property
    def stored_bytes(self) -> int:
        """The bytes that the copy takes in the target, the manifest left out."""
        return sum(one.size_bytes for one in self.objects)

    def stored(self, name: str) -> StoredObject:
        """Return the object of this name. Raise `CopyUnreadable` where the manifest does not know it."""
        found = next((one for one in self.objects if one.name == name), None)
        if found is None:
            raise _invalid()
        return found


def new_object_name() -> str:
    """Return a random name for one attempt to store one object."""
    return OBJECT + secrets.token_hex(16)


def new_manifest_name(backup_id: str) -> str:
    """Return a name for one attempt to store a manifest. It says the time of the backup, as the manifest itself does,
    so that one backup is found without reading every manifest."""
    return f"{MANIFEST}{backup_id.replace('_', '-')}-{secrets.token_hex(16)}"


def backup_id_of(name: str) -> str | None:
    """Return of which backup an object of this name is the manifest; None for any other object."""
    found = _MANIFEST_NAME.fullmatch(name)
    return found[1].replace("-", "_") if found else None


def encode(
    *, backup_id: str, base: str | None, copied_at: datetime, objects: Sequence[StoredObject], contents: Contents
) -> bytes:
    """Return the manifest as it is stored. Its contents are encrypted to `contents.recipients`, where there are any."""
    inner: Any = {"version": VERSION, "backup_id": backup_id, **formats.plain(asdict(contents))}
    if contents.recipients:
        clear = json.dumps(inner, allow_nan=False).encode()
        inner = base64.b64encode(encryption.sealed_bytes(clear, recipients=contents.recipients)).decode()
    outside = {
        "format": FORMAT,
        "version": VERSION,
        "backup_id": backup_id,
        "base": base,
        "copied_at": formats.utc_seconds(copied_at),
        "objects": [asdict(one) for one in sorted(objects, key=lambda one: one.name)],
        "encrypted": bool(contents.recipients),
        "contents": inner,
    }
    return json.dumps(outside, indent=1, allow_nan=False).encode() + b"\n"


def decode(data: bytes) -> CopyManifest:
    """Given a stored manifest, return its readable part. No key is needed. Raise `CopyUnreadable`."""
    plain = _json(data)
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise _invalid()
    if plain.get("version") != VERSION:
        raise CopyUnreadable(problem=messages.COPY_MANIFEST_VERSION())
    try:
        return CopyManifest(
            backup_id=_id(plain["backup_id"]),
            base=None if plain["base"] is None else _id(plain["base"]),
            copied_at=_moment(plain["copied_at"]),
            objects=tuple(_stored(one) for one in plain["objects"]),
            encrypted=plain["encrypted"] is True,
            contents=plain["contents"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _invalid() from error


def open_contents(manifest: CopyManifest, *, identities: Sequence[Identity] = ()) -> Contents:
    """Return what only the holder of a private key reads. Raise `KeyMissing`, `WrongKey`, `CopyUnreadable`, also where
    a copy that is not encrypted claims recipients, or an encrypted one names none."""
    inner = manifest.contents
    if manifest.encrypted:
        inner = _json(encryption.unsealed_bytes(_from_base64(inner), identities=identities))
    try:
        if inner["version"] != VERSION or inner["backup_id"] != manifest.backup_id:
            raise _invalid()
        contents = Contents(
            files=tuple(_copied(one) for one in inner["files"]),
            metadata=dict(inner["metadata"]),
            recipients=tuple(str(one) for one in inner["recipients"]),
            site=None if inner["site"] is None else _copied(inner["site"]),
            site_id=_site_id(inner.get("site_id", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _invalid() from error
    for one in (*contents.files, *([contents.site] if contents.site else [])):
        if one.size_bytes > manifest.stored(one.object).size_bytes:  # encryption only adds to a file
            raise _invalid()
    _require_apart([one.path for one in contents.files])
    if bool(contents.recipients) != manifest.encrypted:
        raise _invalid()
    return contents


def opened_by(manifest: CopyManifest, *, identities: Sequence[Identity]) -> tuple[str, ...]:
    """Return the public keys of those private keys that open the contents; none of a copy that is not encrypted."""
    if not manifest.encrypted:
        return ()
    data = _from_base64(manifest.contents)
    return encryption.public_keys([one for one in identities if encryption.opens(data, identity=one)])


def _require_apart(paths: Sequence[str]) -> None:
    """Each file has a path of its own, and none lies below another."""
    names = set(paths)
    parents = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "/"}
    if len(names) != len(paths) or names & parents:
        raise _invalid()


def _from_base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise _invalid() from error


def _json(data: bytes) -> Any:
    if len(data) > LARGEST_BYTES:
        raise _invalid()
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _invalid() from error


def _no_number(name: str) -> None:
    """JSON has no NaN and no Infinity. Raise ValueError."""
    raise ValueError(name)


def _moment(given: Any) -> datetime:
    """Return a moment in UTC. Raise ValueError, TypeError or OverflowError for what is none."""
    at = datetime.fromisoformat(given)
    if at.tzinfo is None:
        raise ValueError
    return at.astimezone(UTC)


def _id(given: Any) -> str:
    if not isinstance(given, str) or not _ID.fullmatch(given):
        raise ValueError
    return given


def _site_id(given: Any) -> str:
    if given != "" and not site_ids.is_id(given):
        raise ValueError
    return str(given)


def _stored(plain: Mapping[str, Any]) -> StoredObject:
    return StoredObject(name=_name(plain["name"]), size_bytes=_size(plain["size_bytes"]), sha256=_hash(plain["sha256"]))


def _copied(plain: Mapping[str, Any]) -> CopiedFile:
    return CopiedFile(
        path=_path(plain["path"]),
        object=_name(plain["object"]),
        size_bytes=_size(plain["size_bytes"]),
        sha256=_hash(plain["sha256"]),
    )


def _name(given: Any) -> str:
    if not isinstance(given, str) or not target.is_name(given):
        raise ValueError
    return given


def _path(given: Any) -> str:
    """Return a relative path that stays inside its folder. Raise `CopyUnreadable`: anybody who can write to the
    target may have written it."""
    parts = given.split("/")
    if "\0" in given or any(part in ("", ".", "..") for part in parts):
        raise CopyUnreadable(problem=messages.COPY_MANIFEST_PATH())
    sizes = [len(os.fsencode(part)) for part in parts]
    if max(sizes) > LONGEST_NAME_BYTES or sum(sizes) + len(sizes) > LONGEST_PATH_BYTES:
        raise ValueError
    return str(given)


def _size(given: Any) -> int:
    if type(given) is not int or not 0 <= given <= LARGEST_FILE_BYTES:
        raise ValueError
    return given


def _hash(given: Any) -> str:
    if not isinstance(given, str) or not _HEX.fullmatch(given):
        raise ValueError
    return given


def _invalid() -> CopyUnreadable:
    return CopyUnreadable(problem=messages.COPY_MANIFEST_INVALID())
