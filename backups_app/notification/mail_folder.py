"""Mail as files: one for each message. Django's own name, of the second and of an object's place in memory, repeats."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.core.mail.backends.filebased import EmailBackend as FileBackend
from django.utils import timezone


class EmailBackend(FileBackend):
    """Writes what one connection sends to a file of its own in the folder."""

    def _get_filename(self) -> str:
        if self._fname is None:  # type: ignore[has-type]  # the stubs do not know it
            name = f"{timezone.now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}.log"
            self._fname = str(Path(self.file_path) / name)
        return self._fname
