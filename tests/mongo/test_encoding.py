"""Which documents need the pipeline: the answer of a walk of the document, at a cost that grows with its length."""

from __future__ import annotations

import bson
import pytest
from bson import Timestamp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backups_app.mongo import raw_bson
from backups_app.mongo.exact_writes import encoding

_NAMES = st.text("$ab\x01\x02\x11", max_size=4).filter(bool)
_BYTES = st.text("\x00\x11\x02$a", max_size=30).map(str.encode)
_VALUES = st.recursive(
    st.one_of(
        _BYTES,
        st.sampled_from([Timestamp(0, 0), Timestamp(0, 1), 0, 0x11, 17.0, "\x11", "a\x11$", None, bson.Int64(0x1100)]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=6,
)
_DOCUMENTS = st.dictionaries(_NAMES, _VALUES, max_size=5).map(lambda fields: bson.encode({"_id": 1, **fields}))
RUN_BYTES = 20_000


class Counted(bytes):
    """Bytes that count how many of them are looked at by `find`."""

    looked_at = 0

    def find(self, *args: object) -> int:
        found = super().find(*args)  # type: ignore[arg-type]
        start = args[1] if len(args) > 1 else 0
        self.looked_at += (len(self) if found < 0 else found + 1) - int(start)  # type: ignore[call-overload]
        return found


def walked(frame: bytes) -> bool:
    """The answer without any short cut."""
    return any(
        name.startswith(b"$") or (value.type == 0x11 and value.data == bytes(8))
        for name, value in raw_bson.elements(frame)
    )


def places_as_before(data: bytes) -> set[int]:
    """Where the first form of the search stopped at a timestamp: at each byte 0x11, looking for its end again."""
    places = set()
    at = data.find(b"\x11")
    while at >= 0:
        end = data.find(b"\0", at) + 1
        if data[end : end + 8] == bytes(8):
            places.add(at)
        at = data.find(b"\x11", at + 1)
    return places


@given(frame=_DOCUMENTS)
@example(frame=bson.encode({"_id": 1, "\x11\x11": Timestamp(0, 0)}))
@example(frame=bson.encode({"_id": 1, "image": b"\x11" * 300 + bytes(9)}))
@settings(max_examples=300, deadline=None)
def test_one_document_is_classed_as_by_a_walk(frame: bytes) -> None:
    assert encoding.needs_pipeline(frame) == walked(frame)


@given(frames=st.lists(_DOCUMENTS, max_size=8))
@settings(max_examples=200, deadline=None)
def test_many_documents_are_classed_as_by_a_walk(frames: list[bytes]) -> None:
    assert encoding.Together(frames).needing_pipeline() == [frame for frame in frames if walked(frame)]


@given(data=st.lists(st.sampled_from([b"\x11", b"\0", b"\0" * 8, b"a", b"\0" * 9]), max_size=40).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_no_place_is_passed_over_but_those_with_the_same_end(data: bytes) -> None:
    data += b"\0"
    new = set(encoding._suspicious(data))

    assert new <= places_as_before(data)
    assert {data.find(b"\0", at) for at in new} == {data.find(b"\0", at) for at in places_as_before(data)}


@pytest.mark.parametrize("content", [b"\x11", b"\x11$", b"$", b"\x01$", b"\x11\0", b"\0" * 8 + b"\x11"])
def test_a_long_run_of_any_byte_is_looked_at_a_few_times(content: bytes) -> None:
    frame = Counted(bson.encode({"_id": 1, "scan": content * (RUN_BYTES // len(content))}))
    together = encoding.Together([frame])
    together.raw = Counted(together.raw)

    encoding.needs_pipeline(frame)
    together.needing_pipeline()

    assert frame.looked_at <= 8 * len(frame)
    assert together.raw.looked_at <= 8 * len(frame)
