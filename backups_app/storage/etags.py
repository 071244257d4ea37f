"""What a target's e_tag proves: that it stored the bytes we sent.

S3 answers with the MD5 of an object, or, of one that came in parts, with the MD5 of the parts' MD5s and their number.
Where it means something else (Azure, encryption by the store's own keys) it equals neither, and proves nothing.
"""

from __future__ import annotations

import hashlib

PART_BYTES = 8 << 20
"""How large each part of an upload is, in bytes. A smaller object is sent whole."""


class ETag:
    """The e_tag that a store answers with, when it answers with MD5s. Fed with what is sent."""

    def __init__(self) -> None:
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0
        self._done: list[bytes] = []

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(chunk)
        while view:
            taken = view[: PART_BYTES - self._filled]
            self._part.update(taken)
            self._filled += len(taken)
            view = view[len(taken) :]
            if self._filled == PART_BYTES and view:
                self._next_part()

    def _next_part(self) -> None:
        self._done.append(self._part.digest())
        self._part, self._filled = hashlib.md5(usedforsecurity=False), 0

    def value(self) -> str:
        """Return the e_tag of what was taken so far, without quotation marks."""
        if not self._done:
            return self._part.hexdigest()
        parts = [*self._done, self._part.digest()]
        return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
