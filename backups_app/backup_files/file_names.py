"""What a file of a dump is, by its name alone, and what stock mongorestore makes of one that is no part of a backup."""

from __future__ import annotations

import re
from enum import Enum, auto

from backups_app.backup_files import layout
from backups_app.messages import backup_files as messages

SYSTEM = "system."
SYSTEM_INDEXES = "system.indexes"
RESTORED_SYSTEM = frozenset({"system.js"})
BESIDE_A_DATA_FILE = (layout.INDEX_SUFFIX, layout.DIGEST_SUFFIX, layout.GONE_SUFFIX)
_OPLOG = "oplog.bson"
_LEGACY_DATA_SUFFIX = ".bin"
_LONGEST_DATABASE = 63
_NOT_ESCAPED = re.compile("%(?![0-9A-Fa-f]{2})")
_NOT_IN_A_DATABASE = frozenset('/\\. "$')


class FileKind(Enum):
    """What a file is by its name."""

    DATA = auto()
    METADATA = auto()
    PRELUDE = auto()
    BESIDE = auto()
    """Of ours, and no part of a dump: it stands beside a data file and is named after it."""
    UNKNOWN = auto()


def kind(name: str) -> FileKind:
    """Return what a file of this name is in a dump."""
    plain = without_gzip(name)
    if plain == layout.PRELUDE:
        return FileKind.PRELUDE
    if name.endswith(BESIDE_A_DATA_FILE):
        return FileKind.BESIDE
    if plain.endswith(layout.COLLECTION_METADATA_SUFFIX):
        return FileKind.METADATA
    return FileKind.DATA if plain.endswith(layout.DATA_SUFFIX) else FileKind.UNKNOWN


def digest_of(data_file: str) -> str:
    """Return the path of the digests that stand beside a data file."""
    return without_gzip(data_file).removesuffix(layout.DATA_SUFFIX) + layout.DIGEST_SUFFIX


def gone_of(data_file: str) -> str:
    """Return the path of the list of gone documents that stands beside a data file of an incremental."""
    return without_gzip(data_file).removesuffix(layout.DATA_SUFFIX) + layout.GONE_SUFFIX


def is_of_a_dump(name: str) -> bool:
    """Whether a file of this name holds documents, options or indexes of a collection."""
    return kind(name) in (FileKind.DATA, FileKind.METADATA)


def is_oplog(name: str) -> bool:
    """Whether a file at a dump's top holds the server's log, for a replay. It keeps its name when it is compressed."""
    return without_gzip(name) == _OPLOG


def is_system_indexes(name: str) -> bool:
    """Whether this is the file in which mongodump 2.x keeps all indexes of a database."""
    return base(name) == SYSTEM_INDEXES


def base(name: str) -> str:
    """Return the name of a data or metadata file without its suffixes."""
    suffix = layout.DATA_SUFFIX if kind(name) is FileKind.DATA else layout.COLLECTION_METADATA_SUFFIX
    return without_gzip(name).removesuffix(suffix)


def without_gzip(name: str) -> str:
    return name.removesuffix(layout.GZIP_SUFFIX)


def why_never_restored(collection: str) -> str:
    """Return why no restore writes a collection of this name, or an empty string."""
    if not collection or "\0" in collection or not _is_text(collection):
        return messages.NAME_NO_SERVER_TAKES()
    if collection.startswith("$"):
        return messages.USERS_AND_ROLES_NOT_RESTORED()
    if collection.startswith(SYSTEM) and collection not in RESTORED_SYSTEM:
        return messages.SERVER_KEEPS_IT()
    return ""


def _is_text(name: str) -> bool:
    """Names on a disk are bytes; what is no UTF-8 in them is a lone surrogate here."""
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


def stock_effect(path: str, *, database: str, packed: bool, is_directory: bool) -> str:
    """Return what stock mongorestore would do with a stray entry at `path` of a backup's folder, as the end of a
    sentence; empty where it passes it by. `packed`: the backup is compressed."""
    directory, _, name = path.rpartition("/")
    if is_directory:
        return "" if directory else _effect_of_a_directory(name)
    if directory != database:
        return ""
    if name.endswith(_LEGACY_DATA_SUFFIX):
        return _RESTORES
    if not is_of_a_dump(name) or name.endswith(layout.GZIP_SUFFIX) != packed:
        return ""
    return _RESTORES if _decodes(base(name)) else _STOPS


_RESTORES = messages.MONGORESTORE_RESTORES_IT()
_STOPS = messages.MONGORESTORE_STOPS_AT_IT()


def _effect_of_a_directory(name: str) -> str:
    return _RESTORES if is_database(name) else _STOPS


def is_database(name: str) -> bool:
    """Whether a directory of this name can be a database in a dump."""
    return len(name.encode(errors="surrogateescape")) <= _LONGEST_DATABASE and not _NOT_IN_A_DATABASE & set(name)


def _decodes(escaped: str) -> bool:
    """Whether Go's `url.QueryUnescape` takes this: each % needs two hexadecimal digits behind it."""
    return _NOT_ESCAPED.search(escaped) is None
