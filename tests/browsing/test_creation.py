"""The first and the last createdAt of a collection, from its bytes, a stretch at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import bson
import pytest

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import collection_opening, creation, opening
from backups_app.browsing.reading.collection_file import CollectionFile
from tests.browsing.conftest import Maker

ID = "20260101_090000"
AT = datetime(2026, 1, 19, 9, 0, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def opened(store: Store, name: str = "bookings") -> CollectionFile:
    return collection_opening.open_collection(backup=opening.open_backup(store=store, backup_id=ID), collection=name)


def test_the_first_and_the_last_are_those_of_the_documents_themselves(store: Store, a_backup: Maker) -> None:
    moments = [AT, AT - timedelta(days=3), AT + timedelta(days=7)]
    documents = [
        {
            "_id": n,
            "createdAt": at,
            "devotee": {"createdAt": AT - timedelta(days=900)},
            "before": AT + timedelta(days=9),
        }
        for n, at in enumerate(moments)
    ]
    a_backup(ID, {"bookings": [bson.encode(document) for document in documents]})

    assert creation.span(opened(store)) == (milliseconds(moments[1]), milliseconds(moments[2]))


@pytest.mark.parametrize("documents", [[], [{"_id": 1}], [{"_id": 1, "createdAt": "yesterday"}]])
def test_without_a_created_at_there_is_none(store: Store, a_backup: Maker, documents: list[object]) -> None:
    a_backup(ID, {"bookings": [bson.encode(document) for document in documents]})  # type: ignore[arg-type]

    assert creation.span(opened(store)) is None


def test_what_time_did_not_suffice_for_is_done_by_the_next_calls(store: Store, a_backup: Maker) -> None:
    padding = "x" * 4000
    documents = [{"_id": n, "createdAt": AT + timedelta(hours=n), "padding": padding} for n in range(5000)]
    a_backup(ID, {"bookings": [bson.encode(document) for document in documents]})

    answers = [creation.span(opened(store), seconds=0) for _ in range(6)]

    assert answers[0] is None
    assert answers[-1] == (milliseconds(AT), milliseconds(AT + timedelta(hours=4999)))


def test_a_document_is_taken_apart_once_however_many_dates_are_in_it(
    store: Store, a_backup: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_apart: list[int] = []
    created = creation._created

    def counted(frame: bytes) -> int | None:
        taken_apart.append(len(frame))
        return created(frame)

    monkeypatch.setattr(creation, "_created", counted)
    visits = [{"createdAt": AT + timedelta(minutes=n)} for n in range(500)]
    a_backup(ID, {"bookings": [bson.encode({"_id": 1, "visits": visits})]})

    assert creation.span(opened(store)) is None
    assert len(taken_apart) == 1
