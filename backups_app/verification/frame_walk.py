"""Walks the documents of a stream chunk by chunk: lengths, end marks, where every thousandth starts, and all `_id`s.

It is the inner loop of every verification, so it looks at whole chunks: one pass steps from length to length, and what
is asked of every document is asked of all of them at once.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.reading.bson_frames import InvalidFrame, NotUtf8
from backups_app.backup_files.reading.document_index import EVERY
from backups_app.messages import backup_files as file_messages
from backups_app.messages import verification as messages
from backups_app.mongo import raw_bson, raw_ids

_INT32 = struct.Struct("<i")
_OBJECT_ID_FIRST = b"\x07_id\x00"
_KEY_BYTES = len(_OBJECT_ID_FIRST) + 12


class FrameWalk:
    """Given chunks of a stream in order, checks them and counts. `keys` is handed the key of each document's `_id`.

    `validate_all` proves every document sound besides: for files that nobody vouches for. `not_utf8` counts those that
    are sound but for a text that is not UTF-8, `without_id` those that have no `_id`.
    """

    def __init__(self, *, keys: Callable[[Iterable[bytes]], None], validate_all: bool = False) -> None:
        self._keys = keys
        self._validate_all = validate_all
        self._rest = b""
        self.documents = 0
        self.stream_bytes = 0
        self.without_id = self.not_utf8 = 0
        self.offsets: array[int] = array("Q")

    def feed(self, chunk: bytes) -> int:
        """Walk what is whole in `chunk` and what was left before it. Return the number of documents.

        Raise `InvalidFrame` with the number and the offset of the first bad one.
        """
        data = self._rest + chunk if self._rest else chunk
        starts, stop = self._step(data)
        if starts:
            self._check_ends(data, starts, stop)
            self._keys(self._keys_of(data, starts, stop))
            self._note_points(starts)
        self._rest = data[stop:]
        self.documents += len(starts)
        self.stream_bytes += stop
        return len(starts)

    def finish(self) -> None:
        """The stream has ended. Raise `InvalidFrame` if it ended inside a document."""
        if self._rest:
            raise self._invalid(file_messages.LAST_DOCUMENT_CUT_OFF(), 0)

    def _step(self, data: bytes) -> tuple[list[int], int]:
        starts: list[int] = []
        add, length_at = starts.append, _INT32.unpack_from
        at, end = 0, len(data)
        last_header = end - 4
        while at <= last_header:
            length = length_at(data, at)[0]
            stop = at + length
            if length < bson_frames.SMALLEST or stop > end:
                if not bson_frames.SMALLEST <= length <= bson_frames.LARGEST:
                    raise self._invalid(file_messages.DOCUMENT_LENGTH_IMPOSSIBLE(), at, len(starts))
                break
            add(at)
            at = stop
        return starts, at

    def _check_ends(self, data: bytes, starts: list[int], stop: int) -> None:
        ends = [start - 1 for start in starts[1:]]
        ends.append(stop - 1)
        if any(map(data.__getitem__, ends)):
            number = next(number for number, end in enumerate(ends) if data[end])
            raise self._invalid(file_messages.DOCUMENT_NO_END_MARK(), starts[number], number)
        if self._validate_all:
            for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
                try:
                    bson_frames.validate(data[start : end + 1])
                except NotUtf8:
                    self.not_utf8 += 1
                except InvalidFrame as error:
                    raise self._invalid(error.problem, start, number) from error

    def _keys_of(self, data: bytes, starts: list[int], stop: int) -> list[bytes]:
        keys = [data[start + 4 : start + 4 + _KEY_BYTES] for start in starts]
        if _all_object_ids(keys):  # by far the most frequent
            return keys
        return [
            key
            for number, (start, end) in enumerate(zip(starts, [*starts[1:], stop], strict=True))
            if (key := self._key_of(data[start:end], start, number)) is not None
        ]

    def _key_of(self, frame: bytes, start: int, number: int) -> bytes | None:
        """Return the key of one document, the same as above for an ObjectId; None where there is no `_id`."""
        if frame[4:9] == _OBJECT_ID_FIRST:
            return frame[4 : 4 + _KEY_BYTES]
        try:
            value = next((value for name, value in raw_bson.elements(frame) if name == b"_id"), None)
            if value is None:  # a server's own document, or an old capped collection's
                self.without_id += 1
                return None
            if value.type == _OBJECT_ID_FIRST[0]:
                return _OBJECT_ID_FIRST + value.data
            return raw_ids.key(bytes([value.type]) + value.data)
        except (ValueError, struct.error, IndexError) as error:
            raise self._invalid(messages.DOCUMENT_VALUES_LENGTH_WRONG(), start, number) from error

    def _note_points(self, starts: list[int]) -> None:
        first = -self.documents % EVERY
        self.offsets.extend(self.stream_bytes + start for start in starts[first::EVERY])

    def _invalid(self, problem: str, at: int, number: int = 0) -> InvalidFrame:
        return InvalidFrame(problem, number=self.documents + number, offset=self.stream_bytes + at)


def _all_object_ids(keys: list[bytes]) -> bool:
    """Whether each key begins as an ObjectId in the first field does: asked of all at once, column by column."""
    together = b"".join(keys)
    if len(together) != len(keys) * _KEY_BYTES:
        return False
    return all(
        together[column::_KEY_BYTES].count(_OBJECT_ID_FIRST[column]) == len(keys)
        for column in range(len(_OBJECT_ID_FIRST))
    )
