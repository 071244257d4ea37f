"""Targets in buckets, at real servers; a server of ours stands in only where one must refuse on purpose."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from backups_app.errors import (
    BucketMissing,
    ObjectMissing,
    TargetClockDiffers,
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetMisconfigured,
    TargetMissing,
    TargetUnreachable,
)
from backups_app.storage.etags import PART_BYTES, ETag
from backups_app.storage.object_store import ObjectStoreTarget
from tests.proxy import Proxy
from tests.services.azurite import Azurite
from tests.services.refusing import refusing_store
from tests.services.seaweed import READS, WRITES, Seaweed
from tests.storage.contract import TargetContract

_numbers = itertools.count(1)
BUCKET, CONTAINER = "copies", "copies"
DEAD = "http://127.0.0.1:9"


def s3(server: Seaweed, who: tuple[str, str] = WRITES, **changes: str) -> ObjectStoreTarget:
    bucket = changes.pop("bucket", BUCKET)
    return ObjectStoreTarget(
        name="offsite",
        kind="s3",
        bucket=bucket,
        prefix=f"temple/{next(_numbers)}",
        options={**server.options(who), **changes},
        allow_http=True,
    )


def azure(server: Azurite, *, container: str = CONTAINER, **changes: str) -> ObjectStoreTarget:
    return ObjectStoreTarget(
        name="azure",
        kind="az",
        bucket=container,
        prefix=f"temple/{next(_numbers)}",
        options={**server.options(), **changes},
        allow_http=True,
    )


class TestS3(TargetContract):
    @pytest.fixture
    def target(self, s3_server: Seaweed) -> ObjectStoreTarget:
        s3_server.make_bucket(BUCKET)
        return s3(s3_server)


class TestAzure(TargetContract):
    @pytest.fixture
    def target(self, azure_container: Azurite) -> ObjectStoreTarget:
        return azure(azure_container)


@pytest.fixture(scope="module")
def azure_container(azure_server: Azurite) -> Azurite:
    azure_server.make_container(CONTAINER)
    return azure_server


@pytest.mark.parametrize("size", [0, 5, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_the_e_tag_of_s3_proves_what_was_stored(s3_server: Seaweed, size: int) -> None:
    s3_server.make_bucket(BUCKET)
    target, expected = s3(s3_server), ETag()
    chunks = [b"x" * min(1 << 20, size - start) for start in range(0, size, 1 << 20)]
    for chunk in chunks:
        expected.update(chunk)

    target.put("abc", iter(chunks))

    assert target.head("abc").e_tag == expected.value()


@pytest.mark.usefixtures("impatient")
class TestFailures:
    """Each is named, and holds nothing secret."""

    def test_a_wrong_key(self, s3_server: Seaweed) -> None:
        for who in (("nobody", "x"), (WRITES[0], "wr@ng/secret")):
            _refused(s3(s3_server, who), TargetDenied)

    def test_a_wrong_key_of_azure(self, azure_container: Azurite) -> None:
        _refused(azure(azure_container, account_key="d3Jvbmc="), TargetDenied)

    def test_a_key_that_may_only_read(self, s3_server: Seaweed) -> None:
        s3_server.make_bucket(BUCKET)
        target = s3(s3_server, READS)

        target.check()
        for size in (1, PART_BYTES + 1):
            with pytest.raises(TargetDenied):
                target.put("abc", iter([b"x" * size]))

    def test_no_such_container(self, azure_container: Azurite) -> None:
        target = azure(azure_container, container="nothing-here")

        with pytest.raises(TargetMissing):
            target.put("abc", iter([b"x"]))

    def test_nobody_answers(self, s3_server: Seaweed) -> None:
        _refused(s3(s3_server, endpoint=DEAD), TargetUnreachable)

    def test_an_option_that_nobody_knows(self, s3_server: Seaweed) -> None:
        with pytest.raises(TargetMisconfigured) as caught:
            s3(s3_server, acess_key="x").check()

        assert caught.value.facts["setting"] == "ACESS_KEY"

    def test_plain_http_is_refused_unless_it_is_allowed(self, s3_server: Seaweed) -> None:
        target = ObjectStoreTarget(
            name="offsite", kind="s3", bucket=BUCKET, prefix="", options=s3_server.options(), allow_http=False
        )

        with pytest.raises(TargetFailed):
            target.check()

    @pytest.mark.parametrize("size", [1000, 3 * PART_BYTES])
    def test_a_connection_that_is_cut_leaves_no_object(self, s3_server: Seaweed, size: int) -> None:
        s3_server.make_bucket(BUCKET)
        with Proxy(f"127.0.0.1:{s3_server.port}") as network:
            target = s3(s3_server, endpoint=f"http://{network.address}")
            network.weather.reset_chance = 1.0

            with pytest.raises(TargetUnreachable):
                target.put("abc", iter([b"x" * size]))

            network.heal()
            with pytest.raises(ObjectMissing):
                target.head("abc")

    def test_a_short_outage_is_survived(self, s3_server: Seaweed) -> None:
        s3_server.make_bucket(BUCKET)
        with Proxy(f"127.0.0.1:{s3_server.port}") as network:
            target = s3(s3_server, endpoint=f"http://{network.address}")
            network.cut_after(PART_BYTES // 2)

            target.put("abc", (b"x" * (1 << 20) for _ in range(20)))

            assert target.head("abc").size_bytes == 20 << 20

    @pytest.mark.parametrize(
        ("status", "code", "named"),
        [
            (403, "RequestTimeTooSkewed", TargetClockDiffers),
            (507, "XMinioStorageFull", TargetFull),
            (403, "QuotaExceeded", TargetFull),
            (404, "NoSuchBucket", BucketMissing),
            (503, "SlowDown", TargetUnreachable),
            (500, "InternalError", TargetFailed),
        ],
    )
    def test_an_answer_is_named_by_its_code(
        self, refusing: Any, s3_server: Seaweed, status: int, code: str, named: type[TargetFailed]
    ) -> None:
        refusing.answer = (status, code)
        target = s3(s3_server, endpoint=f"http://127.0.0.1:{refusing.server_port}")

        for size in (1, PART_BYTES + 1):
            with pytest.raises(TargetFailed) as caught:
                target.put("abc", iter([b"x" * size]))
            assert type(caught.value) is named

    def test_a_store_without_conditional_puts_is_asked_first(self, refusing: Any, s3_server: Seaweed) -> None:
        refusing.answer = (501, "NotImplemented")
        target = s3(s3_server, endpoint=f"http://127.0.0.1:{refusing.server_port}")

        target.put("abc", iter([b"x"]))

        assert list(dict.fromkeys(refusing.seen)) == ["PUT if-none-match", "HEAD", "PUT"]


def _refused(target: ObjectStoreTarget, named: type[TargetFailed]) -> None:
    acts = (target.check, lambda: target.put("abc", iter([b"x"])), lambda: target.head("abc"))
    for act in acts:
        with pytest.raises(TargetFailed) as caught:
            act()
        assert type(caught.value) is named
        assert caught.value.__cause__ is None
        assert not {"@", "%", WRITES[1]} & set(str(caught.value))


@pytest.fixture
def refusing() -> Iterator[Any]:
    with refusing_store(500, "InternalError") as server:
        yield server
