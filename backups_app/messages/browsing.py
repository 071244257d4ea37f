"""What the viewer says of a backup that it cannot show whole."""

from __future__ import annotations

from backups_app.messages.message import Sentence

ON_HOST = Sentence("on_host", "on host {host}")
FILES_GONE = Sentence("files_gone", "its files are gone from the backup folder")

FILE_ENDS_EARLY = Sentence("file_ends_early", "the file ends before its last document")

VIEW_SHOWS_ANOTHER_COLLECTION = Sentence(
    "view_shows_another_collection",
    ("A view holds no documents of its own: it shows those of another collection. The backup keeps its definition."),
)
NO_FILE_OF_DOCUMENTS = Sentence(
    "no_file_of_documents",
    "This backup has no file with the documents of this collection: whether it was empty is not known.",
)
DOCUMENT_UNREADABLE = Sentence("document_unreadable", "document {number} cannot be read: {problem}")
ITS_FILE_UNREADABLE = Sentence("its_file_unreadable", "its file cannot be read")

LIMIT_OUT_OF_RANGE = Sentence("limit_out_of_range", "limit is 1 to {most}, offset 0 or more.")

FILE_CUT_OFF = Sentence("file_cut_off", "the file is cut off")

MANIFEST_DAMAGED = Sentence("manifest_damaged", "its manifest is damaged")
NOT_WHAT_WAS_VERIFIED = Sentence("not_what_was_verified", "{name} is not what was verified")
METADATA_JSON_UNREADABLE = Sentence("metadata_json_unreadable", "metadata.json cannot be read")

SEARCH_LENGTH = Sentence("search_length", "A search has 1 to {most} characters.")
