"""Which collections a run may delete, and every gate on its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.purge import plan
from backups_app.purge.plan import Gates
from backups_app.records import SyncStatus


def _entry(kind: str = "collection") -> CollectionEntry:
    file = "t/x.bson" if kind == "collection" else None
    return CollectionEntry(
        type=kind, uuid="", documents=1, bytes=5, file=file, metadata="t/x.metadata.json", index=None
    )


def _manifest(**kinds: str) -> Manifest:
    return Manifest(database="temple_db", collections={name: _entry(kind) for name, kind in kinds.items()})


ALL = _manifest(activities="collection", bookings="collection", employee_bookings="collection", users="collection")
OPEN = Gates(
    published=True,
    verified_by_this_process=True,
    sync_configured=True,
    sync_status=SyncStatus.SUCCESS,
    pair_known=True,
    confirmed=True,
)


def _decide(manifest: Manifest = ALL, *, delete_bookings: Any = True, **more: Any) -> plan.PurgePlan:
    arguments = {"unresolved": {}, "blocked": {}} | more
    return plan.decide(manifest=manifest, delete_bookings=delete_bookings, **arguments)


def test_activities_are_always_asked_for_and_bookings_only_when_confirmed() -> None:
    assert _decide(delete_bookings=False).collections == ("activities",)
    assert _decide(delete_bookings=True).collections == ("activities", "bookings", "employee_bookings")


@pytest.mark.parametrize("value", ["true", "false", 1, None, [True], "1", 1.0])
def test_only_true_itself_asks_for_the_bookings(value: Any) -> None:
    assert _decide(delete_bookings=value).collections == ("activities",)


def test_what_the_database_does_not_have_is_absent_and_not_withheld() -> None:
    decided = _decide(_manifest(activities="collection", users="collection"))

    assert decided.absent == ("bookings", "employee_bookings")
    assert decided.withheld == {}


@pytest.mark.parametrize("kind", ["view", "timeseries"])
def test_views_and_time_series_are_withheld_by_type(kind: str) -> None:
    decided = _decide(_manifest(activities="collection", bookings=kind))

    assert decided.collections == ("activities",)
    assert kind in decided.withheld["bookings"]


@pytest.mark.parametrize(
    "found",
    [{"unresolved": {"bookings": 2}}, {"blocked": {"bookings": "braked"}}, {"not_exactly": {"bookings": "collated"}}],
    ids=lambda found: next(iter(found)),
)
def test_a_collection_with_a_reason_is_withheld_and_the_others_go_on(found: dict[str, Any]) -> None:
    decided = _decide(**found)

    assert decided.collections == ("activities", "employee_bookings")
    assert list(decided.withheld) == ["bookings"]


def test_unresolved_documents_elsewhere_withhold_nothing() -> None:
    assert _decide(unresolved={"users": 9}, blocked={"events": "braked"}).withheld == {}


def test_with_all_gates_open_nothing_is_refused() -> None:
    assert plan.refusals(OPEN) == {}


def test_without_sync_neither_its_status_nor_the_pair_is_asked_for() -> None:
    alone = dataclasses.replace(OPEN, sync_configured=False, sync_status=None, pair_known=False)

    assert plan.refusals(alone) == {}


@pytest.mark.parametrize(
    ("gate", "closed", "name"),
    [
        ("published", False, "not_published"),
        ("verified_by_this_process", False, "not_verified"),
        ("verified_by_this_process", None, "not_verified"),
        ("verified_by_this_process", 1, "not_verified"),
        ("sync_status", SyncStatus.FAILED, "sync_not_succeeded"),
        ("sync_status", SyncStatus.SKIPPED, "sync_not_succeeded"),
        ("sync_status", SyncStatus.IN_PROGRESS, "sync_not_succeeded"),
        ("sync_status", None, "sync_not_succeeded"),
        ("pair_known", False, "pair_unknown"),
        ("pair_known", None, "pair_unknown"),
        ("confirmed", False, "not_confirmed"),
        ("confirmed", "yes", "not_confirmed"),
    ],
)
def test_each_closed_gate_refuses_by_its_name(gate: str, closed: Any, name: str) -> None:
    assert list(plan.refusals(dataclasses.replace(OPEN, **{gate: closed}))) == [name]


def test_a_sync_whose_configuration_is_unknown_counts_as_configured() -> None:
    unknown = dataclasses.replace(OPEN, sync_configured=None, sync_status=None)  # type: ignore[arg-type]

    assert "sync_not_succeeded" in plan.refusals(unknown)
