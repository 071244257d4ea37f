"""How much a request may carry: a form or a JSON body, of known and small size, and never a file."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from backups_app.errors import BodyTooLarge, LengthRequired


class RefusesFiles(FileUploadHandler):
    """Refuses a form with a file by the file's heading, before any of its bytes: no page and no API takes one."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise SuspiciousOperation: 400."""
        raise SuspiciousOperation("A form brought a file; no page takes one.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never reached."""

    def file_complete(self, file_size: int) -> None:
        """Never reached."""


def require_small(request: HttpRequest) -> None:
    """Check a request by its head, before anything reads its body.

    Raise `LengthRequired` when it does not say how long its body is, `BodyTooLarge` above the limit of all addresses.
    """
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLarge
