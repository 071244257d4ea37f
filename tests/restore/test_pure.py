"""What a restore decides, without any server."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups_app.backup_files.digests import document_digests
from backups_app.backup_files.digests.document_digests import DocumentDigests
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.errors import CollectionNotFound, InvalidInput
from backups_app.mongo import raw_ids
from backups_app.restore import choices as chosen
from backups_app.restore import plan, proof, work
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.proof import Expected


def manifest(**types: str) -> Manifest:
    entries = {
        name.replace("__", "."): CollectionEntry(
            type=kind, uuid="", documents=1, bytes=1, file=None, metadata=None, index=None
        )
        for name, kind in types.items()
    }
    return Manifest(database="temple", collections=entries)


def some_choices(**more: Any) -> Choices:
    return Choices(**{"backup_id": "20250119_143022", "target": "temple", "in_place": True, **more})


HELD = manifest(
    bookings="collection", activities="collection", fs__files="collection", fs__chunks="collection",
    weather="timeseries", today="view", backup_metadata="collection", sync_conflicts="collection",
)  # fmt: skip


def test_everything_of_the_temple_is_taken_chunks_first_views_last() -> None:
    decided = plan.decide(manifest=HELD, choices=some_choices(), emptied={"bookings": "20250119_143022"})

    assert decided.taken == ("fs.chunks", "activities", "fs.files", "weather", "today")
    assert {entry.name: entry.emptied_by for entry in decided.left_out} == {
        "bookings": "20250119_143022", "backup_metadata": "", "sync_conflicts": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "more", [{"include_purged": True}, {"in_place": False, "target": "copy"}, {"collections": ("bookings",)}]
)
def test_what_was_emptied_on_purpose_is_taken_when_it_is_meant(more: dict[str, Any]) -> None:
    decided = plan.decide(manifest=HELD, choices=some_choices(**more), emptied={"bookings": "x"})

    assert "bookings" in decided.taken


def test_unknown_names_and_overwriting_our_own_records_are_refused() -> None:
    with pytest.raises(CollectionNotFound):
        plan.decide(manifest=HELD, choices=some_choices(collections=("nothing",)), emptied={})
    for mode in (Mode.OVERWRITE, Mode.REPLACE):
        with pytest.raises(InvalidInput):
            plan.decide(manifest=HELD, choices=some_choices(collections=("backup_metadata",), mode=mode), emptied={})


@pytest.mark.parametrize(
    "more",
    [
        {"collections": None},
        {"collections": ("bookings", "activities")},
        {"collections": ("today",)},
        {"collections": ("bookings",), "mode": Mode.REPLACE},
    ],
)
def test_one_document_needs_one_ordinary_collection_and_never_replaces_it(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        plan.decide(manifest=HELD, choices=some_choices(document=b"\x10\1\0\0\0", **more), emptied={})


def test_any_other_choice_backup_or_server_gives_another_hash() -> None:
    base = some_choices()
    others = [
        some_choices(backup_id="20250119_143023"),
        some_choices(target="other"),
        some_choices(mode=Mode.REPLACE),
        some_choices(collections=("bookings",)),
        some_choices(include_purged=True),
        some_choices(document=b"\x10\1\0\0\0"),
    ]

    hashes = [chosen.confirmation_hash(one, manifest=HELD, server="a:1") for one in [base, *others]]
    hashes.append(chosen.confirmation_hash(base, manifest=HELD, server="b:1"))
    hashes.append(chosen.confirmation_hash(base, manifest=manifest(bookings="collection"), server="a:1"))

    assert len(set(hashes)) == len(hashes)
    assert all(chosen.from_json(one.as_json()) == one for one in [base, *others])


DOCUMENTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=10)


def digest(pairs: list[tuple[int, int]]) -> tuple[DocumentDigests, list[bytes]]:
    frames = [bson.encode({"_id": identity, "v": value}) for identity, value in pairs]
    result = DocumentDigests()
    for frame in frames:
        result.add(frame)
    return result, frames


@given(backup=DOCUMENTS, live=st.dictionaries(st.integers(0, 6), st.integers(0, 2)), mode=st.sampled_from(list(Mode)))
def test_the_decisions_lead_to_what_the_mode_promises(
    backup: list[tuple[int, int]], live: dict[int, int], mode: Mode
) -> None:
    wanted, _ = digest(backup)
    there, _ = digest(list(live.items()))
    decided = work.decide(wanted=wanted, there=there, mode=mode)

    after = dict(live)
    for number, (identity, value) in enumerate(backup):
        if decided.actions[number] in (work.INSERT, work.REPLACE):
            assert decided.actions[number] != work.INSERT or identity not in live
            after[identity] = value
    for number in decided.extra if decided.delete_extra else ():
        del after[list(live)[number]]

    held = dict(backup)  # of two versions the later one
    expected = {
        Mode.ADD: held | live,
        Mode.OVERWRITE: live | held,
        Mode.REPLACE: held,
    }[mode]
    assert after == expected
    for number, content in decided.expected.items():
        identity = backup[number][0]
        assert content == document_digests.content_hash(bson.encode({"_id": identity, "v": live[identity]}))
    proven = proof.prove(Expected(wanted, there, decided, set()), after=digest(list(after.items()))[0])
    assert (len(proven.differing), proven.undeleted, proven.edited, proven.appeared) == (0, 0, 0, 0)
    assert proven.matching == len(expected)


@given(backup=DOCUMENTS, identity=st.integers(0, 6), mode=st.sampled_from([Mode.ADD, Mode.OVERWRITE]))
def test_one_document_alone_is_decided_about(backup: list[tuple[int, int]], identity: int, mode: Mode) -> None:
    wanted, _ = digest(backup)
    there, _ = digest([(0, 9), (1, 9)])
    raw_id = raw_ids.id_of(bson.encode({"_id": identity}))

    decided = work.only(
        wanted=wanted, there=there, mode=mode, identity=document_digests.identity_hash(raw_ids.key(raw_id))
    )

    written = [backup[n][0] for n, action in enumerate(decided.actions) if action in (work.INSERT, work.REPLACE)]
    assert set(written) <= {identity}
    assert len(written) <= 1
    assert decided.deletes == 0


def test_the_proof_distinguishes_faults_from_other_peoples_edits() -> None:
    wanted, _ = digest([(1, 1), (2, 1), (3, 1), (4, 1)])
    there, _ = digest([(3, 1), (5, 0), (6, 0)])
    decided = work.decide(wanted=wanted, there=there, mode=Mode.REPLACE)
    after, _ = digest([(1, 1), (2, 9), (3, 7), (6, 0), (8, 0)])
    handled = {document_digests.identity_hash(raw_ids.key(b"\x10\4\0\0\0"))}

    found = proof.prove(Expected(wanted, there, decided, handled), after=after)

    assert (list(found.differing), found.undeleted) == ([1], 1)
    assert (found.matching, found.edited, found.appeared) == (1, 1, 1)
