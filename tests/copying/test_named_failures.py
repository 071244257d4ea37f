"""The same faults in a directory, at a real S3 server and at Azurite: each is named, and nothing counts as a copy that
is none."""

from __future__ import annotations

import dataclasses
import itertools
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyrage.x25519 import Identity

from backups_app.configuration import Configuration
from backups_app.errors import CopyDamaged, KeyMissing, ObjectMissing, TargetDenied, TempleOpsError, WrongKey
from backups_app.storage import copy_reading, encryption, targets
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import upkeep
from tests.copying.conftest import KEYS, Copying, Kept, Made
from tests.copying.test_send import Wrong
from tests.services.azurite import Azurite
from tests.services.seaweed import READS, WRITES, Seaweed

NAME = "faulty"
BUCKET = "faulty"
FAULTS: dict[str, type[TempleOpsError]] = {"changed": CopyDamaged, "cut": CopyDamaged, "gone": ObjectMissing}
_numbers = itertools.count(1)


@dataclass
class Place:
    """A target, and the same one for somebody with a wrong key, and for somebody who may only read."""

    settings: TargetSettings
    wrong_key: TargetSettings | None
    read_only: Mapping[str, str] | None = None

    @property
    def target(self) -> StorageTarget:
        return targets.open_target(self.settings)

    @property
    def configuration(self) -> Configuration:
        return Configuration(targets=(self.settings,))

    def spoil(self, name: str, fault: str) -> None:
        """Do to a stored object what a disk, a person or a thief may do."""
        data = b"".join(self.target.read(name))
        self.target.delete(name)
        if fault != "gone":
            self.target.put(name, iter([{"changed": data[:-1] + bytes([data[-1] ^ 1]), "cut": data[:-1]}[fault]]))


def s3_place(request: pytest.FixtureRequest) -> Place:
    server: Seaweed = request.getfixturevalue("s3_server")
    server.make_bucket(BUCKET)
    made = partial(TargetSettings, name=NAME, kind="s3", place=BUCKET, prefix=f"p/{next(_numbers)}")
    return Place(
        made(options=tuple(server.options().items())),
        made(options=tuple(server.options((WRITES[0], "wr@ng")).items())),
        server.options(READS),
    )


def azure_place(request: pytest.FixtureRequest) -> Place:
    server: Azurite = request.getfixturevalue("azure_server")
    container = f"{BUCKET}-{next(_numbers)}"
    server.make_container(container)
    made = partial(TargetSettings, name=NAME, kind="az", place=container)
    return Place(
        made(options=tuple(server.options().items())),
        made(options=tuple(server.options(key="d3Jvbmc=").items())),
        server.reading_options(container),
    )


def directory_place(request: pytest.FixtureRequest) -> Place:
    settings = TargetSettings(name=NAME, kind="file", place=str(request.getfixturevalue("tmp_path") / "nas"))
    Path(settings.place).mkdir()
    targets.directory(settings).prepare(database="temple")
    return Place(settings, None)


@pytest.fixture(params=[directory_place, s3_place, azure_place], ids=["directory", "s3", "azure"])
def place(request: pytest.FixtureRequest, impatient: None) -> Place:
    made: Callable[[pytest.FixtureRequest], Place] = request.param
    return made(request)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_object_that_is_not_what_was_sent(copying: Made, place: Place, fault: str) -> None:
    copy = copying(recipients=(KEYS.public,))

    with pytest.raises(FAULTS[fault]):
        copy.sender(Wrong(place.target, fault)).send()

    nothing_counts(copy, place)
    copy.sender(place.target).send()
    copy.require_whole(place.target)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_object_that_is_overwritten_or_removed_later(copying: Made, place: Place, fault: str) -> None:
    copy = copying(recipients=(KEYS.public,))
    copy.sender(place.target).send()
    name = next(one.name for one in copy.written() if one.path == "temple/a.bson")

    place.spoil(name, fault)

    assert isinstance(fetched(place), FAULTS[fault])
    doubts = upkeep.read_back(configuration=place.configuration, row=copy.row)
    assert [(one.name, type(one.failure)) for one in doubts] == [(name, FAULTS[fault])]
    copy.row.refresh_from_db()
    assert (copy.row.state, copy.row.error_code) == (State.FAILED, FAULTS[fault].code)
    copy.sender(place.target).send()
    assert fetched(place) is None


def test_another_private_key(copying: Made, place: Place) -> None:
    copying(recipients=(KEYS.public,)).sender(place.target).send()

    assert isinstance(fetched(place, Identity.from_str(encryption.new_key_pair().private)), WrongKey)
    assert isinstance(fetched(place, None), KeyMissing)


@pytest.mark.parametrize("place", [s3_place, azure_place], ids=["s3", "azure"], indirect=True)
def test_a_wrong_key_of_the_store(copying: Made, place: Place) -> None:
    copy = copying()
    assert place.wrong_key is not None

    with pytest.raises(TargetDenied):
        copy.sender(targets.open_target(place.wrong_key)).send()

    nothing_counts(copy, place)


def test_no_right_to_write(copying: Made, place: Place) -> None:
    copy = copying()

    with reading_only(place) as target:
        target.check()
        with pytest.raises(TargetDenied):
            copy.sender(target).send()

    nothing_counts(copy, place)


def nothing_counts(copy: Copying, place: Place) -> None:
    """Assert that neither the target nor our records have a copy."""
    assert list(copy_reading.find(place.target)) == []
    copy.row.refresh_from_db()
    assert (copy.row.state, copy.row.manifest) == (State.COPYING, "")


def fetched(place: Place, key: Identity | None = Identity.from_str(KEYS.private)) -> TempleOpsError | None:  # noqa: B008
    """Return why the newest copy there cannot be fetched; None where all of it came."""
    found = next(copy_reading.find(place.target))
    identities = [key] if key is not None else []
    try:
        contents = copy_reading.open_contents(found, identities=identities)
        assert found.manifest is not None
        for file in contents.files:
            copy_reading.receive(
                place.target, manifest=found.manifest, file=file, into=Kept(), identities=identities
            )  # fmt: skip
    except TempleOpsError as error:
        return error
    return None


@contextmanager
def reading_only(place: Place) -> Iterator[StorageTarget]:
    """The target for somebody who may only read there."""
    if place.read_only is not None:
        yield targets.open_target(dataclasses.replace(place.settings, options=tuple(place.read_only.items())))
        return
    with tempfile.TemporaryDirectory() as outside:  # where somebody who is not root can look
        os.chmod(outside, 0o755)
        root = shutil.copytree(place.settings.place, Path(outside) / "nas")
        for path in (*root.iterdir(), root):
            path.chmod(0o755 if path.is_dir() else 0o644)
        root.chmod(0o555)
        yield AsNobody(targets.open_target(dataclasses.replace(place.settings, place=str(root))))
        assert {path.name for path in root.iterdir()} == {".store_id"}
        root.chmod(0o755)


class AsNobody:
    """A directory for a user who is not root: nothing is forbidden to root."""

    def __init__(self, target: StorageTarget) -> None:
        self._target, self.name = target, target.name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)

        def call(*arguments: Any) -> Any:
            was = os.geteuid()
            if was == 0:
                os.seteuid(pwd.getpwnam("nobody").pw_uid)
            try:
                return method(*arguments)
            finally:
                os.seteuid(was)

        return call
