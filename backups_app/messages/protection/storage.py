"""The sentences about copies, their manifests and their keys."""

from __future__ import annotations

from backups_app.messages.message import Sentence

COPY_CAN_BE_FETCHED = Sentence(
    "copy_can_be_fetched", "A target has a copy: manage.py backup_fetch {backup_id} --from {target}"
)

KEY_FILE_MISSING = Sentence("key_file_missing", "it is not there")
KEY_FILE_UNREADABLE = Sentence("key_file_unreadable", "it cannot be read ({errno_name})")
KEY_FILE_WITHOUT_KEY = Sentence("key_file_without_key", "it holds no private age key")
KEY_FILE_LINE_INVALID = Sentence("key_file_line_invalid", "line {number} is not a private age key")

ENCRYPTED_PART_DAMAGED = Sentence("encrypted_part_damaged", "its encrypted content is damaged or cut off")
COPY_MANIFEST_INVALID = Sentence("copy_manifest_invalid", "the manifest of the copy is damaged")
COPY_MANIFEST_VERSION = Sentence("copy_manifest_version", "its manifest was written by a newer TempleOps")
SITE_CONTENT_TOO_LARGE = Sentence("site_content_too_large", "its site.json is too large")
SITE_CONTENT_INVALID = Sentence("site_content_invalid", "its site.json is damaged")
COPY_MANIFEST_PATH = Sentence("copy_manifest_path", "its manifest names a file outside the backup's folder")
