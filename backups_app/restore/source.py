"""A verified backup as a restore reads it: documents, digests, options and indexes. Nothing here trusts the disk."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bson import json_util
from bson.codec_options import DatetimeConversion

from backups_app.backup_files import collection_reader, descent
from backups_app.backup_files.bson_frames import InvalidFrame
from backups_app.backup_files.document_digests import Digest
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.errors import VerificationFailed
from backups_app.progress import Progress

_AT_ONCE = 2_000
_STRICT = json_util.CANONICAL_JSON_OPTIONS.with_options(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


@dataclass(frozen=True, kw_only=True)
class Described:
    """A collection's options and indexes as BSON values, in their order."""

    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A backup's folder and the manifest that it was verified with. `absent`: collections that were not there when it
    was made, and that are to be empty again."""

    folder: Path
    manifest: Manifest
    absent: frozenset[str] = frozenset()

    def with_absent(self, names: Collection[str]) -> Source:
        """Return the same backup with those of these collections that it does not hold, as empty ones."""
        nothing = CollectionEntry(
            type="collection", uuid="", documents=0, bytes=0, file=None, metadata=None, index=None
        )
        absent = {name: nothing for name in names if name not in self.manifest.collections}
        manifest = replace(self.manifest, collections={**self.manifest.collections, **absent})
        return replace(self, manifest=manifest, absent=frozenset(absent))

    def entry(self, name: str) -> CollectionEntry | None:
        return self.manifest.collections.get(name)

    def frames(self, name: str) -> Iterator[bytes]:
        """Yield the documents of a collection in the file's order. Raise `VerificationFailed` at damage."""
        entry = self.entry(name)
        try:
            if entry is not None:
                yield from collection_reader.frames(folder=self.folder, entry=entry)
        except (InvalidFrame, OSError) as error:
            raise VerificationFailed(problem=f'the documents of "{name}" cannot be read') from error

    def digest(self, name: str, *, progress: Progress) -> Digest:
        """Return the digest of a collection, read now. Raise `VerificationFailed` when these are not the bytes that
        were verified, and what `progress` raises."""
        result, stream = Digest(), hashlib.sha256()
        for frame in self.frames(name):
            _add(result, frame, name)
            stream.update(frame)
            if result.documents % _AT_ONCE == 0:
                progress.checkpoint()
        entry = self.entry(name)
        if entry is not None and entry.file is not None:
            expected = self.manifest.files[entry.file].stream_sha256
            if stream.hexdigest() != expected:
                raise VerificationFailed(problem=f'the documents of "{name}" are not those that were verified')
        return result

    def described(self, name: str) -> Described:
        """Return what the collection's metadata file says. Raise `VerificationFailed` when it cannot be read."""
        entry = self.entry(name)
        if entry is None or entry.metadata is None:
            return Described()
        try:
            with descent.open_file(self.folder, entry.metadata) as file:
                stream = collection_reader.opened(file, name=entry.metadata)
                raw = b"".join(iter(lambda: stream.read(1 << 20), b""))
            plain = json.loads(raw) if raw.strip() else {}
            found = json_util.loads(json.dumps(plain), json_options=_STRICT)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise VerificationFailed(problem=f'the options and indexes of "{name}" cannot be read') from error
        return Described(options=found.get("options") or {}, indexes=tuple(found.get("indexes") or ()))


def _add(digest: Digest, frame: bytes, name: str) -> None:
    try:
        digest.add(frame)
    except (ValueError, IndexError, struct.error) as error:  # the bytes are not those that were verified
        raise VerificationFailed(problem=f'a document of "{name}" is damaged') from error
