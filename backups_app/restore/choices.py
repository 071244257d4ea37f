"""What a person chose to restore: from which backup, what, how, and into which database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backups_app.backup_files.manifest import Manifest


class Mode(StrEnum):
    """ADD inserts what is missing and overwrites nothing. OVERWRITE also replaces what differs. REPLACE also deletes
    what the backup does not hold."""

    ADD = "add"
    OVERWRITE = "overwrite"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True)
class Choices:
    """`collections` None means all of the temple's, without those that a run emptied on purpose unless
    `include_purged`. A collection that is named is meant. `document` is the raw `_id` of the only document wanted."""

    backup_id: str
    target: str
    in_place: bool
    mode: Mode = Mode.ADD
    collections: tuple[str, ...] | None = None
    include_purged: bool = False
    document: bytes | None = None

    @property
    def needs_the_phrase(self) -> bool:
        """Whether something that is there would be overwritten or deleted: then RESTORE has to be typed."""
        return self.in_place and self.mode is not Mode.ADD

    def as_json(self) -> dict[str, Any]:
        """Return the plain form that stands in the run's document under `restore.choices`."""
        return {
            "backup_id": self.backup_id,
            "target": self.target,
            "in_place": self.in_place,
            "mode": self.mode.value,
            "collections": None if self.collections is None else sorted(self.collections),
            "include_purged": self.include_purged,
            "document": None if self.document is None else self.document.hex(),
        }


def from_json(plain: Mapping[str, Any]) -> Choices:
    """Given the plain form, return the choices."""
    named, document = plain["collections"], plain["document"]
    return Choices(
        backup_id=plain["backup_id"],
        target=plain["target"],
        in_place=plain["in_place"],
        mode=Mode(plain["mode"]),
        collections=None if named is None else tuple(named),
        include_purged=plain["include_purged"],
        document=None if document is None else bytes.fromhex(document),
    )


def confirmation_hash(choices: Choices, *, manifest: Manifest, server: str) -> str:
    """Return what is confirmed: a hash of the choices, of the backup's manifest, and of the server that is meant.

    Other choices, another backup, or another server give another one.
    """
    meant = {"choices": choices.as_json(), "manifest": manifest.as_json(), "server": server}
    return hashlib.sha256(json.dumps(meant, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
