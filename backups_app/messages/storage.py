"""What is said of copies, their manifests and their keys."""

from __future__ import annotations

from backups_app.messages.message import Sentence

KEY_FILE_MISSING = Sentence("key_file_missing", "it is not there")
KEY_FILE_UNREADABLE = Sentence("key_file_unreadable", "it cannot be read ({errno_name})")
KEY_FILE_WITHOUT_KEY = Sentence("key_file_without_key", "it holds no private key of age")
KEY_FILE_LINE_INVALID = Sentence("key_file_line_invalid", "line {number} is no private key of age")

ENCRYPTED_PART_DAMAGED = Sentence("encrypted_part_damaged", "its encrypted content is damaged or cut off")
COPY_MANIFEST_INVALID = Sentence("copy_manifest_invalid", "the manifest of the copy is damaged")
COPY_MANIFEST_VERSION = Sentence("copy_manifest_version", "its manifest was written by a newer TempleOps")
SITE_CONTENT_INVALID = Sentence("site_content_invalid", "its site.json is damaged")
COPY_MANIFEST_PATH = Sentence("copy_manifest_path", "its manifest names a file outside the backup's folder")
