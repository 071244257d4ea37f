"""The rows of copies are compared with a listing: of a directory, of a real S3 server, of Azurite."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backups_app.copying import removal
from backups_app.errors import ObjectMissing, ObjectUnreadable, TargetDenied, TargetMissing, TargetUnreachable
from backups_app.models import BackupCopy, TargetLook
from backups_app.storage import copy_reading, object_store, target_looks
from backups_app.storage.copy_rows import State
from backups_app.use_cases.copies import looking, upkeep
from tests.copying import test_named_failures as faults
from tests.copying.conftest import Copying, Made
from tests.copying.test_named_failures import Place, azure_place, directory_place, s3_place
from tests.proxy import Proxy
from tests.storage.test_directory import refuse

place = faults.place
NOW = datetime(2025, 1, 20, tzinfo=UTC)
A_DAY = timedelta(days=1)
BUCKETS = pytest.mark.parametrize("place", [s3_place, azure_place], ids=["s3", "azure"], indirect=True)


@pytest.fixture
def copy(copying: Made, place: Place) -> Copying:
    """A whole copy, last looked at a day ago."""
    made = copying()
    made.sender(place.target).send()
    assert compared(place, NOW - A_DAY) is None
    assert looking.is_due(configuration=place.configuration, now=NOW)
    assert state(made) == (State.COMPLETE, "")
    return made


def compared(place: Place, now: datetime = NOW) -> object:
    return looking.compare(configuration=place.configuration, target=faults.NAME, now=now)


def state(copy: Copying) -> tuple[str, str]:
    copy.row.refresh_from_db()
    return copy.row.state, copy.row.error_code


def test_a_missing_object(copy: Copying, place: Place) -> None:
    for which in (0, -1):  # a file's, and the manifest
        missing = removal.parts(copy.written(), manifest=copy.row.manifest)[which]
        place.spoil(missing.name, "gone")
        assert compared(place) is None

        assert state(copy) == (State.FAILED, ObjectMissing.code)
        copy.sender(place.target).send()
        assert compared(place) is None
        assert state(copy) == (State.COMPLETE, "")


def test_an_empty_bucket(copy: Copying, place: Place) -> None:
    for head in list(place.target.list_objects()):
        place.target.delete(head.name)

    assert compared(place) is None

    assert state(copy) == (State.FAILED, ObjectMissing.code)
    copy.sender(place.target).send()
    copy.require_whole(place.target)


def test_a_place_that_is_gone_says_nothing_of_its_objects(copy: Copying, place: Place) -> None:
    gone = {"file": f"{place.settings.place}-gone"}.get(place.settings.kind, "never-made")
    settings = dataclasses.replace(place.settings, place=gone)

    found = compared(Place(settings, None))

    assert isinstance(found, TargetMissing)
    assert state(copy) == (State.COMPLETE, "")
    (failing,) = target_looks.failing([settings], now=NOW).values()
    assert not failing.is_trusted(now=NOW)


@pytest.mark.parametrize("place", [directory_place], ids=["directory"], indirect=True)
def test_a_look_that_is_dated_in_the_future_puts_no_later_one_off(copy: Copying, place: Place) -> None:
    """A clock that ran a month ahead, and was set right."""
    ahead = NOW + 30 * A_DAY
    assert compared(place, ahead) is None
    assert looking.is_due(configuration=place.configuration, now=NOW)
    assert compared(place) is None
    assert not looking.is_due(configuration=place.configuration, now=NOW)

    target_looks.failed(faults.NAME, TargetDenied(target=faults.NAME), now=ahead, place="")

    assert looking.is_due(configuration=place.configuration, now=NOW)
    (failing,) = target_looks.failing([place.settings], now=NOW).values()
    assert not failing.is_trusted(now=NOW)


@pytest.mark.parametrize("place", [directory_place], ids=["directory"], indirect=True)
def test_a_copy_that_is_dated_in_the_future_is_looked_at(copy: Copying, place: Place) -> None:
    TargetLook.objects.all().delete()
    BackupCopy.objects.update(copied_at=NOW + 30 * A_DAY)

    assert looking.is_due(configuration=place.configuration, now=NOW)


@pytest.fixture
def network(place: Place) -> Iterator[Proxy]:
    """A line to the server that can be cut."""
    endpoint = dict(place.settings.options)["endpoint"]
    with Proxy(urlsplit(endpoint).netloc) as proxy:
        through = endpoint.replace(urlsplit(endpoint).netloc, proxy.address)
        options = {**dict(place.settings.options), "endpoint": through}
        place.settings = dataclasses.replace(place.settings, options=tuple(options.items()))
        yield proxy


@BUCKETS
@pytest.mark.parametrize("silence", ["refuse", "black_hole"])
def test_a_silent_server_is_trusted_for_a_day(
    network: Proxy, copy: Copying, place: Place, silence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = timedelta(seconds=0.3)
    monkeypatch.setattr(object_store, "SHORT_TIMES", {"connect_timeout": limit, "timeout": limit})
    getattr(network, silence)()

    assert isinstance(compared(place), TargetUnreachable)
    assert isinstance(compared(place, NOW + A_DAY), TargetUnreachable)

    assert state(copy) == (State.COMPLETE, "")
    (failing,) = target_looks.failing([place.settings], now=NOW).values()
    assert (failing.since, failing.is_trusted(now=NOW + A_DAY / 2)) == (NOW, True)
    assert not failing.is_trusted(now=NOW + A_DAY)
    assert looking.is_due(configuration=place.configuration, now=NOW + 2 * A_DAY)
    network.heal()
    assert compared(place, NOW + 2 * A_DAY) is None
    assert not target_looks.failing([place.settings], now=NOW + 2 * A_DAY)


@pytest.mark.parametrize("place", [directory_place], ids=["directory"], indirect=True)
def test_of_a_part_that_cannot_be_looked_at_nothing_is_concluded(
    copy: Copying, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, other = removal.parts(copy.written(), manifest=copy.row.manifest)[:2]
    with monkeypatch.context() as patch:
        refuse(patch, Path(place.settings.place, part.name))

        assert compared(place) is None

        assert state(copy) == (State.COMPLETE, ObjectUnreadable.code)
        assert copy.row.read_back_at is None  # it is read back next
        (found,) = copy_reading.find(place.target)
        assert isinstance(found.problem, ObjectUnreadable)
        place.spoil(other.name, "gone")  # what is missing beside it is found all the same
        assert compared(place) is None
        assert state(copy) == (State.FAILED, ObjectMissing.code)
    copy.sender(place.target).send()
    assert compared(place) is None
    assert state(copy) == (State.COMPLETE, "")


@pytest.mark.parametrize("place", [directory_place], ids=["directory"], indirect=True)
def test_a_part_that_can_be_looked_at_again_is_good_again_and_one_that_cannot_be_read_is_copied_again(
    copy: Copying, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = removal.parts(copy.written(), manifest=copy.row.manifest)[0]
    with monkeypatch.context() as patch:
        refuse(patch, Path(place.settings.place, part.name))
        compared(place)
    assert compared(place) is None
    assert state(copy) == (State.COMPLETE, "")

    with monkeypatch.context() as patch:
        refuse(patch, Path(place.settings.place, part.name))
        (doubt,) = upkeep.read_back(configuration=place.configuration, row=copy.row)

    assert (doubt.name, type(doubt.failure)) == (part.name, ObjectUnreadable)
    assert state(copy) == (State.FAILED, ObjectUnreadable.code)
    copy.sender(place.target).send()
    copy.require_whole(place.target)


@pytest.mark.parametrize("place", [directory_place], ids=["directory"], indirect=True)
def test_a_manifest_that_cannot_be_read_does_not_hide_the_other_copies(
    copy: Copying, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy.row.delete()
    copy.sender(place.target).send()
    newest = copy.row.manifest or copy.written()[-1].name
    refuse(monkeypatch, Path(place.settings.place, newest))

    found = {one.object_name: one.problem for one in copy_reading.find(place.target)}

    assert isinstance(found.pop(newest), ObjectUnreadable)
    assert list(found.values()) == [None]
