"""What the steps of a run, and its end, say."""

from __future__ import annotations

from backups_app.messages.message import Sentence

NO_DUMP_OF_MONGODUMP = Sentence("no_dump_of_mongodump", "it holds no dump of mongodump")
DUMP_ONE_FOLDER_TOO_DEEP = Sentence("dump_one_folder_too_deep", 'its dump lies one folder too deep, in "{folder}"')

METADATA_JSON_NOT_OURS = Sentence("metadata_json_not_ours", "metadata.json does not hold what we wrote")
MANIFEST_MISSING_OR_DAMAGED = Sentence("manifest_missing_or_damaged", "its manifest is missing or damaged")

FILES_NOT_WHAT_WAS_VERIFIED = Sentence("files_not_what_was_verified", "its files are not what was verified")
