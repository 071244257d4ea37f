"""Documents in a `.bson` file: frames that follow one another, each with its own length.

`frames` walks a file in constant memory and checks the lengths alone. `validate` proves a frame safe to decode, without
recursion and before anything else touches it: the one who wrote a booking may be hostile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

from backups_app.messages import backup_files as messages

SMALLEST = 5
LARGEST = 16 * 1024 * 1024 + 16 * 1024
"""The server's limit of a document, with the room it allows itself."""

_FIRST_PIECE, _LARGEST_PIECE = 64 * 1024, 2 * 1024 * 1024

MAX_DEPTH = 200
MAX_ELEMENTS = 1_000_000

_INT32 = struct.Struct("<i")
_DOCUMENT, _ARRAY, _SCOPED_CODE = 0x03, 0x04, 0x0F
_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_STRINGS = frozenset({0x02, 0x0D, 0x0E})
_BINARY, _BOOLEAN, _REGEX, _POINTER = 0x05, 0x08, 0x0B, 0x0C
_OLD_BINARY = 0x02


class Readable(Protocol):
    """Anything that reads bytes: an open file, a decompressing one."""

    def read(self, size: int, /) -> bytes: ...


class InvalidFrame(ValueError):
    """A frame that is not sound BSON. `number` is its place in the file, counted from 0; `offset` is in bytes of the
    uncompressed stream."""

    def __init__(self, problem: str, *, number: int = 0, offset: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.number = number
        self.offset = offset


class NotUtf8(InvalidFrame):
    """A whole document that a server stores and mongorestore restores, with bytes in a name or a string that are not
    UTF-8. It is a mark, no damage: its bytes may be copied, compared and taken apart, and nobody may decode it."""


def frames(stream: Readable) -> Iterator[bytes]:
    """Given a stream that stands between two documents, yield each document raw until the stream ends.

    Raise `InvalidFrame` for an impossible length, a missing end mark or a cut document.
    """
    number = offset = 0
    while header := _exactly(stream, 4):
        length = _INT32.unpack(header)[0] if len(header) == 4 else -1
        if not SMALLEST <= length <= LARGEST:
            raise InvalidFrame(messages.DOCUMENT_LENGTH_IMPOSSIBLE(), number=number, offset=offset)
        frame = header + _exactly(stream, length - 4)
        if len(frame) != length:
            raise InvalidFrame(messages.LAST_DOCUMENT_CUT_OFF(), number=number, offset=offset)
        if frame[-1]:
            raise InvalidFrame(messages.DOCUMENT_NO_END_MARK(), number=number, offset=offset)
        yield frame
        number += 1
        offset += length


def batches(stream: Readable) -> Iterator[list[bytes]]:
    """As `frames`, for a reader who takes the stream to its end: lists of documents, cut out of large pieces. The first
    pieces are small, so that a few documents cost little. The stream is read ahead of what is yielded.

    Raise `InvalidFrame` as `frames` does, after the documents before the bad one were yielded.
    """
    number = offset = 0
    rest, size = b"", _FIRST_PIECE
    while piece := stream.read(size):
        size = min(2 * size, _LARGEST_PIECE)
        data = rest + piece if rest else piece
        cut, stop, problem = _cut(data)
        if cut:
            yield cut
        number, offset = number + len(cut), offset + stop
        if problem:
            raise InvalidFrame(problem, number=number, offset=offset)
        rest = data[stop:]
    if rest:
        problem = messages.DOCUMENT_LENGTH_IMPOSSIBLE() if len(rest) < 4 else messages.LAST_DOCUMENT_CUT_OFF()
        raise InvalidFrame(problem, number=number, offset=offset)


def _cut(data: bytes) -> tuple[list[bytes], int, str]:
    """Return the whole documents at the beginning of `data`, where they end, and what is wrong with the next one."""
    cut: list[bytes] = []
    add, length_at = cut.append, _INT32.unpack_from
    at, end = 0, len(data)
    last_header = end - 4
    while at <= last_header:
        length = length_at(data, at)[0]
        stop = at + length
        if length < SMALLEST or stop > end:
            possible = SMALLEST <= length <= LARGEST
            return cut, at, "" if possible else messages.DOCUMENT_LENGTH_IMPOSSIBLE()
        if data[stop - 1]:
            return cut, at, messages.DOCUMENT_NO_END_MARK()
        add(data[at:stop])
        at = stop
    return cut, at, ""


def _exactly(stream: Readable, size: int) -> bytes:
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data


def validate(frame: bytes) -> None:
    """Prove that `frame` is one sound document: lengths add up, end marks stand, strings are strict UTF-8, types are
    known, booleans are 0 or 1, depth and number of elements are bounded. Raise `InvalidFrame`; where all of that holds
    but the UTF-8, its kind `NotUtf8`.

    Duplicate names are allowed: servers store them.
    """
    if not SMALLEST <= len(frame) <= LARGEST:
        raise InvalidFrame(messages.DOCUMENT_LENGTH_IMPOSSIBLE())
    not_utf8: list[int] = []
    try:
        _validate(frame, not_utf8)
    except (struct.error, IndexError) as error:
        raise InvalidFrame(messages.VALUE_TOO_LONG()) from error
    if not_utf8:
        raise NotUtf8(messages.NAME_NOT_UTF8())


def _validate(frame: bytes, not_utf8: list[int]) -> None:
    """Walk the document. The place of the first text that is not UTF-8 is put into `not_utf8`, and the walk goes on."""
    if _INT32.unpack_from(frame)[0] != len(frame) or frame[-1]:
        raise InvalidFrame(messages.DOCUMENT_LENGTH_OR_END_WRONG())
    ends = [len(frame) - 1]
    at, elements = 4, 0
    while ends:
        if at == ends[-1]:
            ends.pop()
            at += 1  # over the end mark
            continue
        elements += 1
        if elements > MAX_ELEMENTS:
            raise InvalidFrame(messages.DOCUMENT_TOO_MANY_VALUES(most=MAX_ELEMENTS))
        kind, size = frame[at], _FIXED.get(frame[at])
        at = _name_end(frame, at + 1, ends[-1], not_utf8)
        if size is not None and at + size <= ends[-1]:
            at += size
        elif kind in (_DOCUMENT, _ARRAY):
            ends.append(_container_end(frame, at, ends[-1]))
            at += 4
        elif kind == _SCOPED_CODE:
            ends += _scoped_code(frame, at, ends[-1], not_utf8)
            at = _string_end(frame, at + 4, ends[-1], not_utf8) + 4
        else:
            at = _value_end(frame, kind, at, ends[-1], not_utf8)
        if len(ends) > MAX_DEPTH:
            raise InvalidFrame(messages.DOCUMENT_TOO_DEEP(most=MAX_DEPTH))


def _container_end(frame: bytes, start: int, limit: int) -> int:
    """Return where the end mark of the nested document that starts at `start` stands."""
    length = _INT32.unpack_from(frame, start)[0]
    end: int = start + length - 1
    if length < SMALLEST or end >= limit:
        raise InvalidFrame(messages.NESTED_DOCUMENT_TOO_LONG())
    if frame[end]:
        raise InvalidFrame(messages.DOCUMENT_NO_END_MARK())
    return end


def _scoped_code(frame: bytes, at: int, limit: int, not_utf8: list[int]) -> list[int]:
    """Code with scope is a length, a string and a document that must fill it exactly. Return the scope's end."""
    total = _INT32.unpack_from(frame, at)[0]
    scope = _string_end(frame, at + 4, limit, not_utf8)
    end = _container_end(frame, scope, limit)
    if end + 1 != at + total:
        raise InvalidFrame(messages.CODE_WITH_SCOPE_LENGTH())
    return [end]


def _name_end(frame: bytes, at: int, limit: int, not_utf8: list[int]) -> int:
    end = frame.find(b"\0", at, limit)
    if end < 0:
        raise InvalidFrame(messages.NAME_NO_END())
    _note_text(frame, at, end, not_utf8)
    return end + 1


def _string_end(frame: bytes, at: int, limit: int, not_utf8: list[int]) -> int:
    length = _INT32.unpack_from(frame, at)[0]
    end: int = at + 4 + length
    if length < 1 or end > limit or frame[end - 1]:
        raise InvalidFrame(messages.STRING_LENGTH_WRONG())
    _note_text(frame, at + 4, end, not_utf8)
    return end


def _note_text(frame: bytes, start: int, end: int, not_utf8: list[int]) -> None:
    text = frame[start:end]
    if text.isascii() or not_utf8:
        return
    try:
        text.decode()
    except UnicodeDecodeError:
        not_utf8.append(start)


def _value_end(frame: bytes, kind: int, at: int, limit: int, not_utf8: list[int]) -> int:
    size = _FIXED.get(kind)
    if size is not None:
        end = at + size
    elif kind in _STRINGS:
        end = _string_end(frame, at, limit, not_utf8)
    elif kind == _BOOLEAN:
        end = _boolean_end(frame, at)
    elif kind == _BINARY:
        end = _binary_end(frame, at, limit)
    elif kind == _REGEX:
        end = _name_end(frame, _name_end(frame, at, limit, not_utf8), limit, not_utf8)
    elif kind == _POINTER:
        end = _string_end(frame, at, limit, not_utf8) + 12
    else:
        raise InvalidFrame(messages.VALUE_TYPE_UNKNOWN())
    if end > limit:
        raise InvalidFrame(messages.VALUE_TOO_LONG())
    return end


def _boolean_end(frame: bytes, at: int) -> int:
    if frame[at] > 1:
        raise InvalidFrame(messages.BOOLEAN_WRONG())
    return at + 1


def _binary_end(frame: bytes, at: int, limit: int) -> int:
    length = _INT32.unpack_from(frame, at)[0]
    end: int = at + 5 + length
    if length < 0 or end > limit:
        raise InvalidFrame(messages.BINARY_LENGTH_WRONG())
    if frame[at + 4] == _OLD_BINARY and (length < 4 or _INT32.unpack_from(frame, at + 5)[0] != length - 4):
        raise InvalidFrame(messages.BINARY_INNER_LENGTH_WRONG())
    return end
