"""Each guard through the acting layer: a pass keeps the backup, removal by name is refused, and without it, it goes."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from backups_app.backup_files import locks, metadata
from backups_app.errors import (
    BackupInUse,
    BackupNotFound,
    BringBackRefused,
    NothingToAccept,
    NothingToRelease,
    NotInTrash,
    RemovalNotConfirmed,
    RemovalRefused,
    RunActive,
)
from backups_app.models import AuditEvent
from backups_app.mongo import connections
from backups_app.records import Origin, Side
from backups_app.retention import guards
from backups_app.retention.guards import Guards
from backups_app.runs.steps import restore_parts
from backups_app.use_cases import verification
from backups_app.use_cases.backups import backups
from backups_app.use_cases.restores import restores
from backups_app.use_cases.retention import bringing_back, pins, removal
from backups_app.use_cases.retention import trash_emptying as housekeeping
from backups_app.verification import verdict
from tests.conftest import NOBODY
from tests.retention.conftest import Temple

DELETED: dict[str, Any] = {
    "sync_status": "skipped",
    "purge": {
        "allowed": True,
        "collections": ["bookings"],
        "withheld": {},
        "local": {"bookings": {"deleted": 7, "gone": 0, "kept_changed": 0, "kept_ids": [], "done": True}},
    },
}
"""The record of a run that deleted seven bookings on this computer."""


def who(temple: Temple) -> dict[str, Any]:
    return {
        "configuration": temple.configuration, "requested_by": "ananya", "origin": Origin.WEB, "now": temple.now,
    }  # fmt: skip


def pin(temple: Temple, backup_id: str, note: str = "") -> None:
    pins.pin(backup_id=backup_id, note=note, **who(temple))


def bring_back(temple: Temple, backup_id: str) -> bool:
    return bringing_back.bring_back(backup_id=backup_id, **who(temple))


# ── the guards ──────────────────────────────────────────────────────────────────


def _newest_success(temple: Temple, _: ExitStack) -> str:
    temple.add(status="partial")
    return temple.newest_real()


def _floor(temple: Temple, _: ExitStack) -> str:
    temple.configuration = dataclasses.replace(temple.configuration, min_keep=2)
    return temple.add(days=40)


def _held(temple: Temple, _: ExitStack) -> str:
    return temple.add(days=40, **DELETED)


def _needed(temple: Temple, _: ExitStack) -> str:
    base = temple.add(days=40)
    temple.add(days=0.5, incremental={"base": base, "number": 1})
    return base


def _in_use(temple: Temple, stack: ExitStack) -> str:
    old = temple.add(days=40)
    stack.enter_context(locks.reading(temple.store.root, old))
    return old


def _purge_unfinished(temple: Temple, _: ExitStack) -> str:
    old = temple.add(days=40)
    temple.database["backup_purge_ledger"].insert_one({"run": old, "state": "open", "collection": "activities"})
    return old


def _shrunk(temple: Temple, _: ExitStack) -> str:
    return temple.add(days=40, counts={"bookings": 81})


def _damaged_holder(temple: Temple, _: ExitStack) -> str:
    temple.add(days=30, **DELETED, verification={"at": temple.now, "problem": "a byte changed"})
    rotten = sorted(temple.ids())[0]
    temple.database["backup_metadata"].update_one(
        {"_id": rotten}, {"$set": {"verification": {"at": temple.now, "problem": "a byte changed"}}}
    )
    return temple.add(days=40)


def _pinned(temple: Temple, _: ExitStack) -> str:
    old = temple.add(days=40)
    temple.database["backup_metadata"].update_one({"_id": old}, {"$set": {"pinned": {"by": "ananya"}}})
    return old


SCENES: dict[str, Callable[[Temple, ExitStack], str]] = {
    guards.NEWEST: _newest_success,
    guards.FLOOR: _floor,
    guards.PINNED: _pinned,
    guards.HELD: _held,
    guards.NEEDED: _needed,
    guards.IN_USE: _in_use,
    guards.PURGE_UNFINISHED: _purge_unfinished,
    guards.SHRUNK: _shrunk,
    guards.HOLDER_DAMAGED: _damaged_holder,
}
UNTIL_THERE_ARE_TARGETS = {guards.COPY_MISSING}


def test_every_guard_has_its_scene() -> None:
    assert SCENES.keys() | UNTIL_THERE_ARE_TARGETS == set(guards.CODES)


@pytest.mark.parametrize("code", SCENES)
def test_a_guard_keeps_a_backup_from_the_rules_and_from_people(temple: Temple, code: str) -> None:
    temple.set_policy()
    with ExitStack() as stack:
        guarded = SCENES[code](temple, stack)

        done = temple.prune()
        with pytest.raises(RemovalRefused) as refused:
            temple.remove(guarded)

    assert refused.value.code == code
    assert done.decision is not None
    assert code in next(one.reasons for one in done.decision.kept if one.backup.backup_id == guarded)
    assert guarded in temple.ids()


def test_a_base_says_first_which_incrementals_begin_from_it_and_counts_full_backups_apart(temple: Temple) -> None:
    temple.configuration = dataclasses.replace(temple.configuration, min_keep=3)
    temple.now += timedelta(days=20)
    base = temple.add(days=10)
    newer = [temple.add(days=day, incremental={"base": base, "number": 10 - day}) for day in range(9, 2, -1)]

    found = removal.refusals(configuration=temple.configuration, backup_id=base, now=temple.now)

    named = ", ".join(sorted(newer, reverse=True)[:5])
    assert [one.detail for one in found] == [
        "This backup is the base of 7 incremental backups and is restored together with them, so it stays: "
        f"{named} and 2 more. Nothing was removed.",
        "This is the newest good full backup, so it stays. Nothing was removed.",
        "The 3 newest full backups always stay (MIN_KEEP), and this is one of them. Nothing was removed.",
    ]
    assert [one.hint for one in found[1:]] == ["Make a newer full backup first"] * 2
    with pytest.raises(RemovalRefused) as refused:
        temple.remove(base)
    assert refused.value.detail == found[0].detail


@pytest.mark.parametrize("code", sorted(SCENES.keys() - {guards.IN_USE}))
def test_without_that_guard_it_would_go(temple: Temple, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each guard is needed: the scene has no other reason to keep it."""
    real = Guards.refusals
    monkeypatch.setattr(Guards, "refusals", lambda *given, **more: [c for c in real(*given, **more) if c != code])
    if code == guards.NEEDED:
        monkeypatch.setattr("backups_app.retention.decision.bases", lambda *_, **__: set())
        monkeypatch.setattr("backups_app.use_cases.retention.taking_out.bases.needed_by", lambda *_: {})
    temple.set_policy()
    with ExitStack() as stack:
        guarded = SCENES[code](temple, stack)

        temple.prune()

    assert guarded in temple.in_trash()


def test_the_lock_alone_keeps_what_somebody_began_to_read_in_this_moment(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    monkeypatch.setattr(locks, "is_read", lambda *_: False)  # looked at before the reader came
    with locks.reading(temple.store.root, old):
        done = temple.prune()

    assert (done.removed, done.left) == ((), (old,))
    assert old in temple.ids()


def test_a_pin_of_this_moment_counts(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pinned after the decision and before the rename."""
    old = temple.add(days=40)
    temple.set_policy()
    real = locks.removing

    def removing(*given: Any) -> Any:
        pin(temple, old)
        return real(*given)

    monkeypatch.setattr(locks, "removing", removing)

    done = temple.prune()

    assert (done.removed, done.left) == ((), (old,))
    assert old in temple.ids()


def test_a_holder_whose_folder_somebody_deleted_keeps_everything_older(temple: Temple) -> None:
    holder, older = temple.add(days=30, **DELETED), temple.add(days=40)
    temple.set_policy()
    shutil.rmtree(temple.store.folder(holder))

    assert not temple.prune().removed
    pins.release(backup_id=holder, typed=holder, **who(temple))

    assert temple.prune().removed == (older,)


def test_a_holder_that_rots_keeps_everything_older(temple: Temple) -> None:
    from tests.retention.conftest import damage

    holder, older = temple.add(days=30, **DELETED), temple.add(days=40)
    temple.set_policy()
    damage(temple.store.folder(holder), temple.database.name)
    found = verification.verify_backup(configuration=temple.configuration, backup_id=holder, **_asked(temple))

    done = temple.prune()

    assert not found["verified"]
    assert not done.removed
    assert {holder, older} <= temple.ids()


def _asked(temple: Temple) -> dict[str, Any]:
    return {"requested_by": "ananya", "origin": Origin.WEB, "now": temple.now}


@pytest.mark.parametrize("known", ["record", "folder"])
def test_the_larger_of_what_record_and_folder_say_is_held(temple: Temple, known: str) -> None:
    """Either may be older than the other: a stock restore rolls the record back, a full disk keeps the folder's."""
    old = temple.add(days=40)
    temple.set_policy()
    if known == "record":
        temple.database["backup_metadata"].update_one({"_id": old}, {"$set": DELETED})
    else:
        metadata.amend(temple.store.folder(old), {"holds_alone": {"bookings": 7}})

    assert not temple.prune().removed


@pytest.mark.parametrize("word", [True, "yes", {}, {"by": "ananya"}, ["ananya"]], ids=str)
def test_a_release_that_nobody_signed_releases_nothing(temple: Temple, word: Any) -> None:
    old = temple.add(days=40, **DELETED)
    temple.set_policy()
    metadata.amend(temple.store.folder(old), {"released": word})

    assert not temple.prune().removed


def test_a_released_holder_goes(temple: Temple) -> None:
    old = temple.add(days=40, **DELETED)
    temple.set_policy()

    pins.release(backup_id=old, typed=old, **who(temple))

    assert temple.prune().removed == (old,)
    assert AuditEvent.objects.filter(action="backup.released", target=old, actor="ananya").exists()


def test_nothing_is_released_where_nothing_is_held(temple: Temple) -> None:
    old = temple.add(days=40)

    with pytest.raises(NothingToRelease):
        pins.release(backup_id=old, typed=old, **who(temple))
    with pytest.raises(RemovalNotConfirmed):
        pins.release(backup_id=old, typed="another", **who(temple))


def test_two_losses_of_45_percent_hold_what_is_older_until_the_second_is_accepted(temple: Temple) -> None:
    first = temple.add(days=60, counts={"bookings": 100})
    second = temple.add(days=50, counts={"bookings": 55})
    third = temple.add(days=40, counts={"bookings": 30})
    temple.set_policy()

    assert temple.prune().removed == (third,)
    bring_back(temple, third)
    with pytest.raises(NothingToAccept):
        pins.accept(backup_id=second, typed=second, **who(temple))
    pins.accept(backup_id=third, typed=third, **who(temple))

    assert temple.prune().removed == (first, second)


def test_ten_restores_in_a_day_push_out_no_backup(temple: Temple, newest: str) -> None:
    asked_for = [temple.add(days=day) for day in (1, 2, 3)]
    choices = restores.choose(configuration=temple.configuration, backup_id=newest)
    for _ in range(10):
        temple.add(days=0, kind="restore", restore={"choices": choices.as_json(), "collections": []})
    from backups_app.retention.policy import Policy

    temple.set_policy(Policy(last=4))

    assert not temple.prune().removed
    assert {newest, *asked_for} <= temple.ids()


# ── who reads ───────────────────────────────────────────────────────────────────


def test_nothing_is_removed_while_somebody_restores_from_it(
    temple: Temple, newest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = temple.add(days=40)
    temple.database["bookings"].delete_many({})
    seen: list[Any] = []
    real = restore_parts._perform

    def restoring(run: Any, **more: Any) -> Any:
        seen.append(locks.is_read(temple.store.root, old))
        with pytest.raises(RunActive):
            temple.remove(old)
        return real(run, **more)

    monkeypatch.setattr(restore_parts, "_perform", restoring)
    monkeypatch.setattr("backups_app.use_cases.retention.taking_out.LEASE_WAIT_SECONDS", 0)
    choices = restores.choose(configuration=temple.configuration, backup_id=old, collections=["bookings"])
    preview = restores.preview_restore(configuration=temple.configuration, choices=choices)
    started = restores.start(
        choices=choices, confirmation=preview.confirmation, created_by="ravi", origin=Origin.WEB, now=temple.now,
        enqueue=False,
    )  # fmt: skip
    with pytest.raises(RunActive):  # queued, and nobody has begun
        temple.remove(old)

    run = backups.execute(backup_id=started["backup_id"])

    assert (run["status"], seen) == ("success", [True])
    assert temple.database["bookings"].count_documents({}) == 40


def test_nothing_is_removed_while_it_is_verified(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    old = temple.add(days=40)
    real = verdict.recheck

    def checking(**given: Any) -> Any:
        with pytest.raises(BackupInUse):
            temple.remove(old)
        return real(**given)

    monkeypatch.setattr(verdict, "recheck", checking)

    found = verification.verify_backup(configuration=temple.configuration, backup_id=old, **_asked(temple))

    assert found["verified"]


# ── by name, and back ───────────────────────────────────────────────────────────


def test_the_id_is_typed_again(temple: Temple) -> None:
    old = temple.add(days=40)

    with pytest.raises(RemovalNotConfirmed):
        temple.remove(old, typed="yes")
    with pytest.raises(BackupNotFound):
        temple.remove("20010101_000000")

    assert old in temple.ids()


def test_an_unverified_folder_can_be_removed_by_name_alone(temple: Temple) -> None:
    old = temple.add(days=40)
    (temple.store.folder(old) / "metadata.json").unlink()
    temple.set_policy()

    assert not temple.prune().removed
    temple.remove(old)

    assert old in temple.in_trash()


def test_what_a_person_removed_comes_back_as_it_was(temple: Temple) -> None:
    old = temple.add(days=40)
    before = temple.written(old)
    temple.remove(old)

    pinned = bring_back(temple, old)

    assert not pinned
    assert temple.written(old) == before
    assert not temple.removed_lines()
    assert temple.record(old)["removed"] is None
    rows = AuditEvent.objects.filter(target=old).order_by("n")
    assert [row.action for row in rows][-2:] == ["backup.brought_back"] * 2


def test_what_the_rules_removed_comes_back_pinned_so_that_it_stays(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    temple.prune()

    assert bring_back(temple, old)
    assert not temple.prune().removed

    assert temple.written(old)["pinned"]["note"] == "Brought back from the trash"
    pins.unpin(backup_id=old, **who(temple))
    assert temple.prune().removed == (old,)


def test_what_lay_in_the_trash_for_a_day_does_not_come_back(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.remove(old)
    housekeeping.housekeep(configuration=temple.configuration, now=temple.now + timedelta(hours=25))

    with pytest.raises(NotInTrash):
        bring_back(temple, old)


def test_while_mongodb_is_silent_the_trash_waits_and_the_worker_goes_on_in_seconds(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.remove(old)
    silent, started = dataclasses.replace(temple.configuration, local_url=NOBODY), time.monotonic()

    assert housekeeping.housekeep(configuration=silent, now=temple.now + timedelta(hours=25)) == ()

    assert time.monotonic() - started < connections.TIMEOUT_SECONDS[Side.LOCAL] / 2
    assert temple.in_trash() == {old}


def test_half_of_an_emptied_backup_never_comes_back(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while the trash was emptied; the next emptying goes on."""
    from backups_app.backup_files import durable

    old = temple.add(days=40)
    temple.remove(old)

    class Killed(BaseException):
        pass

    def half(folder: Any) -> None:
        next(folder.rglob("*.bson")).unlink()
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(durable, "remove_tree", half)
        housekeeping.housekeep(configuration=temple.configuration, now=temple.now + timedelta(hours=25))

    with pytest.raises(NotInTrash):
        bring_back(temple, old)
    housekeeping.housekeep(configuration=temple.configuration, now=temple.now + timedelta(hours=25))
    assert not list(temple.store.root.glob(".trash-*"))


def test_an_incremental_brings_its_base_back_or_stays(temple: Temple) -> None:
    base = temple.add(days=40)
    delta = temple.add(days=39, incremental={"base": base, "number": 1})
    temple.remove(delta)
    temple.remove(base)

    bring_back(temple, delta)

    assert {base, delta} <= temple.ids()
    temple.remove(delta)
    shutil.rmtree(temple.store.folder(base))
    with pytest.raises(BringBackRefused, match=base):
        bring_back(temple, delta)


def test_a_name_that_is_taken_again_is_not_overwritten(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.remove(old)
    (temple.store.root / f"backup_{old}").mkdir()

    with pytest.raises(BringBackRefused):
        bring_back(temple, old)

    assert old in temple.in_trash()


def test_a_pin_has_a_name_and_a_note_in_folder_and_record(temple: Temple, newest: str) -> None:
    pin(temple, newest, "before the festival")

    for place in (temple.written(newest), temple.record(newest)):
        assert (place["pinned"]["by"], place["pinned"]["note"]) == ("ananya", "before the festival")
    assert AuditEvent.objects.filter(action="backup.pinned", details={"note": "before the festival"}).exists()
    pins.unpin(backup_id=newest, **who(temple))
    assert temple.written(newest)["pinned"] is None


def test_a_verification_does_not_undo_a_pin_of_meanwhile(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    """It notes the stamps of what it read, and had read metadata.json before the pin."""
    from backups_app.backup_files import stamps

    old = temple.add(days=40)
    metadata.amend(temple.store.folder(old), {stamps.FIELD: None})
    real = verdict.recheck

    def checking(**given: Any) -> Any:
        pin(temple, old)
        return real(**given)

    monkeypatch.setattr(verdict, "recheck", checking)

    verification.verify_backup(configuration=temple.configuration, backup_id=old, **_asked(temple))

    assert temple.written(old)["pinned"]["by"] == "ananya"
    assert temple.written(old)[stamps.FIELD]
