"""Somebody who can read the bucket and has no key: sizes and times, nothing else."""

from __future__ import annotations

import dataclasses
import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import obstore
import pytest
from django.test import override_settings
from obstore.store import S3Store

from backups_app.models import BackupCopy, User
from backups_app.storage import encryption
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import work
from tests.copying.conftest import Made
from tests.retention import conftest as retention
from tests.retention.conftest import Temple
from tests.services.seaweed import READS, Seaweed
from tests.storage.making import directory_target

temple = retention.temple
BUCKET, PREFIX = "strangers", "p"
KEYS = encryption.new_key_pair()
READABLE = {"format", "version", "backup_id", "base", "copied_at", "objects", "encrypted", "contents"}
HEADERS = {
    "accept-ranges", "access-control-expose-headers", "connection", "content-disposition", "content-length",
    "content-type", "date", "etag", "last-modified", "seaweed-x-amz-etag", "seaweed-x-amz-owner", "server", "vary",
    "x-amz-id-2", "x-amz-request-id",
}  # fmt: skip
"""What a server may say of an object: nothing of ours."""


@dataclasses.dataclass
class Stranger:
    """A key that may only list and read."""

    store: S3Store
    temple: Temple

    def names(self) -> list[str]:
        return [meta["path"] for batch in obstore.list(self.store) for meta in batch]

    def content(self, name: str) -> bytes:
        return bytes(obstore.get(self.store, name).bytes())

    def headers(self, name: str) -> dict[str, str]:
        """Return every header with which the server answers a HEAD."""
        url = obstore.sign(self.store, "HEAD", name, timedelta(minutes=5))
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=20) as answer:
            return {key.lower(): value for key, value in answer.headers.items()}


@pytest.fixture
def stranger(temple: Temple, s3_server: Seaweed) -> Iterator[Stranger]:
    """Two backups of a temple, one of which holds bookings alone, were copied with encryption."""
    s3_server.make_bucket(BUCKET)
    temple.add(days=5, holds_alone={"bookings": 7})
    User.objects.create_user("lakshmi", password="a-long-enough-password", email="lakshmi@temple.invalid")
    options = tuple(s3_server.options().items())
    target = TargetSettings(name="offsite", kind="s3", place=BUCKET, prefix=PREFIX, options=options)
    changed = dataclasses.replace(temple.configuration, targets=(target,), copy_recipients=(KEYS.public,))
    with override_settings(TEMPLEOPS=changed):
        assert work.copy_what_is_lacking(configuration=changed) == 2
    config: Any = dict(s3_server.options(READS))
    yield Stranger(S3Store(BUCKET, prefix=PREFIX, config=config, client_options={"allow_http": True}), temple)


def test_a_listing_and_every_byte_show_sizes_and_times_only(stranger: Stranger) -> None:
    names, temple = stranger.names(), stranger.temple
    contents = {name: stranger.content(name) for name in names}
    manifests = {name: json.loads(data) for name, data in contents.items() if name.startswith("copy-")}
    ids = temple.ids()

    assert {one["backup_id"] for one in manifests.values()} == ids
    times = {backup_id.replace("_", "-") for backup_id in ids}
    assert {name[5:20] for name in manifests} == times
    assert all(set(name.removeprefix("object-")) <= set("0123456789abcdef") for name in names if name not in manifests)
    for readable in manifests.values():
        assert readable.keys() == READABLE
        assert all(one.keys() == {"name", "size_bytes", "sha256"} for one in readable["objects"])
        ordered = [one["name"] for one in readable["objects"]]
        assert ordered == sorted(ordered)
    assert all(data.startswith(b"age-encryption.org/v1\n") for name, data in contents.items() if name not in manifests)
    visible = [f"{stranger.headers(name)}" for name in names]
    assert [word for word in secret_words(temple) if word in "\n".join([*names, *visible])] == []
    assert [(word, name) for word in secret_words(temple) for name in names if word.encode() in contents[name]] == []


def test_a_head_says_nothing_of_ours(stranger: Stranger) -> None:
    for name in stranger.names():
        assert stranger.headers(name).keys() <= HEADERS, name


def secret_words(temple: Temple) -> list[str]:
    """Return what only the temple knows: of its database, its people, its records, and the key that copies are for."""
    rows = BackupCopy.objects.get(backup_id=temple.newest_real()).written
    files = [row["path"].rpartition("/")[2] for row in rows if row["path"]]
    assert "bookings.bson" in files
    collections = [name.partition(".")[0] for name in files]
    return [
        temple.database.name,
        *files,
        *collections,
        "lakshmi",
        "ananya",
        "पूजा",
        "documents",
        "holds_alone",
        KEYS.public,
    ]


def test_the_order_of_sending_shows_nothing(copying: Made, tmp_path: Any) -> None:
    """The dates of objects say in which order they came."""
    names = [f"temple/{letter}.bson" for letter in "abcdefghijklmnop"]
    copy = copying(dict.fromkeys(names, b"x"), recipients=(KEYS.public,))

    copy.sender(directory_target(tmp_path / "nas")).send()

    sent = [one.path for one in copy.written() if one.path in names]
    assert sorted(sent) == names
    assert sent != names
