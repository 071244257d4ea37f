"""A copy is whole or it does not count: whatever breaks, and wherever it is broken off."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backups_app.copying import removal
from backups_app.errors import (
    CopyDamaged,
    CopySourceDamaged,
    ObjectMissing,
    TargetFull,
    TargetUnreachable,
)
from backups_app.storage import copy_reading, copy_rows
from backups_app.storage.copy_rows import Claim, Overtaken, State
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.etags import PART_BYTES
from backups_app.storage.object_store import ObjectStoreTarget
from backups_app.storage.target import StorageTarget
from tests.copying.conftest import KEYS, NOW, Made
from tests.proxy import Proxy
from tests.services.azurite import Azurite
from tests.services.seaweed import Seaweed

LARGE = {"temple/a.bson": bytes(range(256)) * (3 * PART_BYTES // 256), "temple/b.bson": b"b"}


class Killed(BaseException):
    """The process ends here: nothing after it happens."""


@dataclasses.dataclass
class Strike:
    """Kills at the n-th step."""

    at: int
    number: int = 0

    def reach(self) -> None:
        self.number += 1
        if self.number == self.at:
            raise Killed


class Struck:
    """A target whose user may die before and after each call."""

    def __init__(self, target: StorageTarget, strike: Strike) -> None:
        self._target, self._strike = target, strike
        self.name = target.name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)

        def call(*arguments: Any) -> Any:
            self._strike.reach()
            answer = method(*arguments)
            self._strike.reach()
            return answer

        return call


@pytest.mark.parametrize("recipients", [(), (KEYS.public,)])
def test_a_copy_is_read_without_our_database(copying: Made, nas: StorageTarget, recipients: tuple[str, ...]) -> None:
    copy = copying(recipients=recipients)

    copy.sender(nas).send()

    copy.require_whole(nas)
    assert copy.row.bytes == sum(head.size_bytes for head in nas.list_objects())
    assert copy.row.read_back_at is not None


@pytest.mark.parametrize(("recipients", "stride"), [((), 1), ((KEYS.public,), 9)])
def test_killed_at_any_step_it_goes_on_and_overwrites_nothing(
    copying: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipients: tuple[str, ...], stride: int
) -> None:
    """Before and after every call to the target and every write of the row."""
    copy, number, died = copying(recipients=recipients), 1 - stride, True
    save = Claim._save
    while died:
        number += stride
        target = DirectoryTarget(name=f"nas{number}", root=tmp_path / f"nas{number}")
        target.root.mkdir()
        target.prepare(database="temple")
        strike = Strike(at=number)

        def struck(claim: Claim, *, strike: Strike = strike, **changes: Any) -> None:
            strike.reach()
            save(claim, **changes)
            strike.reach()

        claim = copy.claim(target.name)
        with monkeypatch.context() as patch:
            patch.setattr(Claim, "_save", struck)
            try:
                copy.sender(Struck(target, strike), claim).send()
                died = False
            except Killed:
                died = True
        copy.row.refresh_from_db()
        if died and copy.row.state != State.COMPLETE:
            copy.sender(target).send()

        copy.require_whole(target)
        used = [entry["name"] for entry in copy.row.written]
        assert len(used) == len(set(used))
        assert {head.name for head in target.list_objects()} <= set(used)
    assert number > 60


def test_a_second_attempt_sends_only_what_is_missing(copying: Made, nas: StorageTarget) -> None:
    copy = copying()
    broken = Refusing(nas, after=2)
    with pytest.raises(TargetFull):
        copy.sender(broken).send()
    there = {head.name for head in nas.list_objects()}

    counted = Refusing(nas, after=100)
    copy.sender(counted).send()

    assert len(there) == 2
    assert there <= {head.name for head in nas.list_objects()}
    assert counted.puts == len(copy.files) + 2 - len(there)
    copy.require_whole(nas)


def test_what_vanished_meanwhile_is_sent_again(copying: Made, nas: StorageTarget) -> None:
    copy = copying()
    with pytest.raises(TargetFull):
        copy.sender(Refusing(nas, after=3)).send()
    for head in list(nas.list_objects())[:2]:
        nas.delete(head.name)

    copy.sender(nas).send()

    copy.require_whole(nas)


def test_a_file_that_changed_since_it_was_verified_is_not_copied(copying: Made, nas: StorageTarget) -> None:
    copy = copying()
    (copy.folder / "temple" / "b.bson").write_bytes(b"B" * 30)

    with pytest.raises(CopySourceDamaged):
        copy.sender(nas).send()

    assert list(copy_reading.find(nas)) == []
    copy.row.refresh_from_db()
    assert copy.row.state != State.COMPLETE


@pytest.mark.parametrize("fault", ["changed", "cut", "gone"])
def test_an_object_that_is_not_what_was_sent_is_no_copy(copying: Made, nas: StorageTarget, fault: str) -> None:
    copy, wrong = copying(), Wrong(nas, fault)

    with pytest.raises((CopyDamaged, ObjectMissing)):
        copy.sender(wrong).send()

    assert list(copy_reading.find(nas)) == []
    wrong.fault = ""
    copy.sender(nas).send()
    copy.require_whole(nas)


def test_two_processes_do_not_copy_the_same(copying: Made, nas: StorageTarget) -> None:
    copy = copying()
    first = copy.claim(nas.name)

    living = copy_rows.claim(copy.row, worker={"pid": 2}, is_gone=lambda _: False, now=NOW)
    silent = copy_rows.claim(copy.row, worker={"pid": 2}, is_gone=lambda _: False, now=NOW + timedelta(hours=1))

    assert living is None
    assert silent is not None
    with pytest.raises(Overtaken):
        copy.sender(nas, first).send()
    copy.sender(nas, silent).send()
    copy.require_whole(nas)


def test_what_no_manifest_names_is_left_over(copying: Made, nas: StorageTarget) -> None:
    copy = copying()
    with pytest.raises(Killed):
        copy.sender(Struck(nas, Strike(at=3))).send()
    copy.sender(nas).send()

    left = removal.left_over(copy.written(), manifest=copy.row.manifest)
    removal.remove(nas, left)

    assert len(left) == 1
    copy.require_whole(nas)


class TestServers:
    """The same at real servers."""

    @pytest.fixture
    def s3(self, s3_server: Seaweed) -> ObjectStoreTarget:
        return _s3(s3_server, s3_server.endpoint)

    def test_s3_proves_by_its_e_tags_what_was_stored(self, copying: Made, s3: ObjectStoreTarget) -> None:
        copy = copying(LARGE, recipients=(KEYS.public,))

        copy.sender(s3).send()

        copy.require_whole(s3)
        assert copy.row.read_back_at is None

    def test_azure_is_read_back(self, copying: Made, azure_server: Azurite) -> None:
        azure_server.make_container("copying")
        target = ObjectStoreTarget(
            name="azure", kind="az", bucket="copying", prefix="", options=azure_server.options(), allow_http=True
        )
        copy = copying(LARGE)

        copy.sender(target).send()

        copy.require_whole(target)
        assert copy.row.read_back_at is not None

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("part", range(10))
    def test_a_copy_that_was_cut_is_finished_by_the_next_attempt(
        self, copying: Made, s3_server: Seaweed, part: int
    ) -> None:
        copy = copying(LARGE)
        position = part * (3 * PART_BYTES + (64 << 10)) // 10
        with Proxy(f"127.0.0.1:{s3_server.port}") as network:
            target = _s3(s3_server, f"http://{network.address}")
            claim = copy.claim(target.name)
            stopping = Stopping(network, after=position)
            sender = dataclasses.replace(copy.sender(target, claim), report=stopping.sent)
            with pytest.raises(TargetUnreachable):
                sender.send()
            assert list(copy_reading.find(_s3(s3_server, s3_server.endpoint, target=target))) == []
            network.heal()

            copy.sender(target).send()

            copy.require_whole(target)


@dataclasses.dataclass
class Stopping:
    """Refuses every connection from the moment when so many bytes were sent."""

    network: Proxy
    after: int
    seen: int = 0

    def sent(self, count: int) -> None:
        self.seen += count
        if self.seen > self.after and not self.network.weather.refuses:
            self.network.refuse()


_prefixes = iter(range(1, 10_000))


def _s3(server: Seaweed, endpoint: str, target: ObjectStoreTarget | None = None) -> ObjectStoreTarget:
    server.make_bucket("copying")
    return ObjectStoreTarget(
        name="offsite",
        kind="s3",
        bucket="copying",
        prefix=target._prefix if target else f"temple/{next(_prefixes)}",
        options={**server.options(), "endpoint": endpoint},
        allow_http=True,
    )


class Refusing:
    """A target that is full after so many objects."""

    def __init__(self, target: StorageTarget, *, after: int) -> None:
        self._target, self._after = target, after
        self.name, self.puts = target.name, 0

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        if self.puts == self._after:
            raise TargetFull(target=self.name)
        self._target.put(name, chunks)
        self.puts += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class Wrong:
    """A target that keeps something else than it was given, without a word."""

    def __init__(self, target: StorageTarget, fault: str) -> None:
        self._target, self.fault = target, fault
        self.name = target.name

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        data = b"".join(chunks)
        if self.fault == "gone":
            return
        wrong = {"changed": data[:-1] + b"?" if data else b"?", "cut": data[:-1]}.get(self.fault, data)
        self._target.put(name, iter([wrong]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)
