"""A temple whose targets all fail, each with an odd key: what anybody could read of it holds none."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from backups_app.models import AuditEvent, BackupCopy, LaneJob, Notification
from backups_app.storage import copy_manifest, object_store
from backups_app.storage.copy_rows import State, Written
from backups_app.target_settings import TargetSettings
from tests import odd_secrets
from tests.fetching.test_commands import command
from tests.retention.conftest import Temple
from tests.services.refusing import refusing_store

KEY_ID = "AKIACANARYCANARY"
KINDS = ("refused", "silent", "misspelt")
NAMES = [f"{kind}-{number}" for kind in KINDS for number in range(len(odd_secrets.ALL))]
ANSWERS = (
    (403, "AccessDenied"), (500, "InternalError"), (403, "RequestTimeTooSkewed"), (507, "XMinioStorageFull"),
    (503, "SlowDown"), (501, "NotImplemented"), (404, "NoSuchBucket"),
)  # fmt: skip


@dataclass
class Watched:
    """A temple whose targets all fail: each secret is the key of one that refuses, one that does not answer, and one
    with a wrong option. `texts` is whatever anybody could read."""

    temple: Temple
    refusing: Any
    texts: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> None:
        _, out, error = command(*arguments)
        self.texts += [out, error]

    def answered(self, answer: Any) -> None:
        self.texts += [answer.content.decode(), str(dict(answer.headers))]

    def hits(self) -> tuple[str, list[str]]:
        """Return everything that could be read, and which secrets are in it."""
        for model in (BackupCopy, AuditEvent, Notification, LaneJob):
            self.texts += [json.dumps(row, default=str, ensure_ascii=False) for row in model.objects.values()]
        whole = "\n".join(self.texts)
        return whole, [hit for secret in (*odd_secrets.ALL, KEY_ID) for hit in odd_secrets.found_in(whole, secret)]


@pytest.fixture
def refusing() -> Iterator[Any]:
    with refusing_store(*ANSWERS[0]) as server:
        yield server


@pytest.fixture
def watched(
    temple: Temple, refusing: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Watched]:
    quick = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=2), "base": 2}
    retries = {"max_retries": 0, "retry_timeout": timedelta(seconds=2), "backoff": quick}
    monkeypatch.setattr(object_store, "RETRIES", retries)
    monkeypatch.setattr(object_store, "ONE_TRY", retries)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "pymongo")  # it never sees a key of a target, and says much
    here = f"http://127.0.0.1:{refusing.server_port}"
    targets = tuple(_target(name, here) for name in NAMES)
    with override_settings(TEMPLEOPS=dataclasses.replace(temple.configuration, targets=targets)):
        yield Watched(temple, refusing)


def _target(name: str, here: str) -> TargetSettings:
    kind, _, number = name.partition("-")
    secret = odd_secrets.ALL[int(number)]
    options = {
        "access_key_id": KEY_ID, "secret_access_key": secret, "region": "us-east-1",
        "endpoint": "http://127.0.0.1:9" if kind == "silent" else here,
        **({"secret_acess_key": secret} if kind == "misspelt" else {}),
    }  # fmt: skip
    return TargetSettings(name=name, kind="s3", place="bucket", options=tuple(options.items()))


def count_as_made() -> None:
    """Let the rows of copies say that these are made, with something left over: what then fails is reading and
    removing."""
    name = copy_manifest.new_manifest_name("20250119_143022")
    parts = [Written(name=name, path="", size_bytes=3, sha256="0" * 64, proven=True)]
    left = Written(name=copy_manifest.new_object_name(), path="a.bson")
    BackupCopy.objects.update(
        state=State.COMPLETE, manifest=name, written=[vars(one) for one in (*parts, left)], error_code="",
        next_attempt_at=None,
    )  # fmt: skip
    for row in BackupCopy.objects.all():
        BackupCopy.objects.filter(pk=row.pk).update(copied_at=row.created_at)
