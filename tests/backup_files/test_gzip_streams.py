"""Any gzip is read, and what is none, is cut, or goes on behind its end is named as that."""

from __future__ import annotations

import gzip
import io

import pytest

from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.gzip_members import Decompressed

WHOLE = gzip.compress(b"document" * 400, mtime=0)
EMPTY = gzip.compress(b"", mtime=0)
CUT, BEHIND, BROKEN = "cut off", "bytes behind the end", "broken"


def read(data: bytes) -> bytes:
    stream = Decompressed(io.BytesIO(data))
    return b"".join(iter(lambda: stream.read(1 << 16), b""))


@pytest.mark.parametrize(
    ("data", "holds"),
    [(WHOLE, 1), (WHOLE + WHOLE, 2), (EMPTY, 0), (EMPTY + WHOLE, 1), (WHOLE + EMPTY, 1), (EMPTY + EMPTY, 0)],
)
def test_members_follow_one_another(data: bytes, holds: int) -> None:
    assert read(data) == b"document" * 400 * holds


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", CUT),
        *((WHOLE[:end], CUT) for end in range(1, len(WHOLE))),
        *((WHOLE + EMPTY[:end], CUT) for end in range(1, len(EMPTY))),
        (WHOLE + b"\0", BEHIND),
        (WHOLE + bytes(512), BEHIND),
        (WHOLE + b"garbage", BEHIND),
        (EMPTY + b"\n", BEHIND),
        (b"no gzip at all, and longer than a header", BROKEN),
        (bytes(64), BROKEN),
        (WHOLE[:-8] + bytes(4) + WHOLE[-4:], BROKEN),
        (WHOLE[:-4] + bytes(4), BROKEN),
    ],
)
def test_what_is_no_whole_stream_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(InvalidFrame, match=says):
        read(data)
