"""Twelve odd keys of targets through every error path of copies: commands, pages, the API, jobs, logs, records."""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from backups_app.management import reading_lane
from backups_app.metrics import figures
from backups_app.models import AuditEvent, BackupCopy, LaneJob, Notification, User
from backups_app.storage import copy_manifest, object_store
from backups_app.storage.copy_rows import State, Written
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import notices, upkeep
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.lanes import carrying_out
from backups_app.use_cases.status import status
from tests import odd_secrets
from tests.fetching.test_commands import command
from tests.pages.conftest import signed_in
from tests.retention import conftest as retention
from tests.retention.conftest import Temple
from tests.security.conftest import Caller, SignIn, sign_in  # noqa: F401  (a fixture)
from tests.services.refusing import refusing_store

temple = retention.temple
KEY_ID = "AKIACANARYCANARY"
KINDS = ("refused", "silent", "misspelt")
NAMES = [f"{kind}-{number}" for kind in KINDS for number in range(len(odd_secrets.ALL))]
ANSWERS = (
    (403, "AccessDenied"), (500, "InternalError"), (403, "RequestTimeTooSkewed"), (507, "XMinioStorageFull"),
    (503, "SlowDown"), (501, "NotImplemented"), (404, "NoSuchBucket"),
)  # fmt: skip
CODES = (
    "target_denied",
    "target_failed",
    "target_clock_differs",
    "target_full",
    "target_unreachable",
    "bucket_missing",
    "target_misconfigured",
)
PAGE = "/admin/backups/copies/"


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


def test_commands_logs_and_records(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    newest, configuration = watched.temple.newest_real(), settings.TEMPLEOPS
    for answer in ANSWERS:
        watched.refusing.answer = answer
        watched.run("backup_copy", "--json")
    watched.run("backup_copies")
    notices.looked(configuration=configuration, now=watched.temple.now)
    found, runs = status.status_and_runs(configuration=configuration, now=watched.temple.now)
    watched.texts.append(figures.text(found, runs=runs).decode())
    count_as_made()
    upkeep.clear(configuration=configuration, now=watched.temple.now + timedelta(days=2))
    upkeep.read_back_what_is_due(configuration=configuration, now=watched.temple.now)
    for name, extra in zip(NAMES, itertools.cycle([(), ("--json",)])):
        watched.run("backup_copies", "init", name, *extra)
        watched.run("backup_copies", "--from", name, *extra)
        watched.run("backup_copies", "--from", name, "--take-in", *extra)
        watched.run("backup_remove", newest, "--from", name, "--confirm", newest, *extra)
    watched.run("backup_copy")
    watched.run("backup_status")
    watched.texts += [one.sentence + one.fix for one in doctor.examine(configuration=configuration)]
    watched.texts += [caplog.text, *(str(record.__dict__) for record in caplog.records)]

    whole, hits = watched.hits()
    assert [code for code in CODES if code not in whole] == []
    assert f'templeops_copies{{instance="{configuration.database_name}",state="failed",target="silent-3"}} 1.0' in whole
    assert hits == []


def test_pages_the_api_and_jobs(
    watched: Watched,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    newest = watched.temple.newest_real()
    watched.run("backup_copy")
    browser, caller = signed_in(super_admin), sign_in(super_admin)
    for name in NAMES:
        for path in (f"{name}/test/", f"{name}/prepare/", f"{name}/unknown/", f"{name}/unknown/take-in/"):
            _post(watched, browser, f"{PAGE}{path}", {"copy": copy_manifest.new_manifest_name(newest)})
        _post(watched, browser, f"{PAGE}{name}/unknown/clear/", {"confirm": name})
    carrying_out.work(kinds=reading_lane.KINDS, idle_seconds=0)
    _ask_the_api(watched, caller, newest)
    count_as_made()
    for name in NAMES:
        _post(watched, browser, f"{PAGE}{name}/remove/{newest}/", {"confirm": newest})
        watched.answered(browser.get(f"{PAGE}{name}/unknown/", headers={"HX-Request": "true"}))
    for path in (PAGE, f"{PAGE}?tested=refused-3&code=target_denied", f"{PAGE}progress/", "/"):
        watched.answered(browser.get(path))
    watched.texts += [caplog.text, *(str(record.__dict__) for record in caplog.records)]

    whole, hits = watched.hits()
    assert [name for name in NAMES if name not in whole] == []
    assert "target_unreachable" in whole
    assert hits == []


def _post(watched: Watched, browser: Client, path: str, body: dict[str, str]) -> None:
    watched.answered(browser.post(path, body))


def _ask_the_api(watched: Watched, caller: Caller, backup_id: str) -> None:
    copies = f"/api/backups/{backup_id}/copies"
    watched.answered(caller.get("/api/targets"))
    watched.answered(caller.get("/api/backup/status"))
    for name in ("refused-1", "silent-5", "misspelt-9", "nowhere"):
        watched.answered(caller.send("POST", copies, {"target": name}))
        watched.answered(caller.send("DELETE", f"{copies}?target={name}&confirm={backup_id}"))
    watched.answered(caller.get(copies))
    watched.answered(caller.get("/api/audit"))


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
