"""The worker's copying lane as a process of its own, also one that is killed; and no key of a target in any text."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.metrics import figures
from backups_app.models import AuditEvent, BackupCopy, Notification
from backups_app.storage import copy_reading, object_store
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import doctor
from backups_app.use_cases.copies import notices
from backups_app.use_cases.status import status
from tests.conftest import ROOT, Migrated
from tests.retention import conftest as retention
from tests.retention.conftest import Temple
from tests.services.refusing import refusing_store
from tests.storage.making import directory_target
from tests.storage.test_targets import ODD_SECRETS

temple = retention.temple
LONGEST_SECONDS = 60


def test_a_lane_that_was_killed_is_followed_by_one_that_finishes(
    temple: Temple, tmp_path: Path, migrated: Migrated
) -> None:
    """The database of the lane is its own: its rows are what a dead process leaves."""
    target = directory_target(tmp_path / "nas", database=temple.database.name)
    migrated(tmp_path / "django.sqlite3")
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'django.sqlite3'}",
        "MONGODB_LOCAL_URL": str(temple.configuration.local_url),
        "MONGODB_CLOUD_URL": "",
        "DATABASE_NAME": temple.database.name,
        "BACKUP_DIR": str(temple.configuration.backup_dir),
        "BACKUP_TARGETS": f"nas=file://{target.root}",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "worker", "--lane", "copies"]
    first = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(list(target.root.iterdir())) < 3 and first.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    there = {head.name for head in target.list_objects()}

    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL, timeout=LONGEST_SECONDS)

    (found,) = copy_reading.find(target)
    assert (found.backup_id, found.problem) == (temple.newest_real(), None)
    assert there <= {head.name for head in target.list_objects()}


@pytest.fixture
def refusing() -> Iterator[Any]:
    with refusing_store(403, "AccessDenied") as server:
        yield server


@pytest.mark.parametrize("secret", ODD_SECRETS)
def test_no_key_of_a_target_reaches_a_log_a_record_or_an_answer(
    temple: Temple,
    refusing: Any,
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quick = {"init_backoff": timedelta(milliseconds=10), "max_backoff": timedelta(milliseconds=20), "base": 2}
    retries = {"max_retries": 0, "retry_timeout": timedelta(seconds=2), "backoff": quick}
    monkeypatch.setattr(object_store, "RETRIES", retries)
    caplog.set_level(logging.DEBUG)
    options = (
        ("access_key_id", "AKIACANARYCANARY"), ("endpoint", f"http://127.0.0.1:{refusing.server_port}"),
        ("secret_access_key", secret), ("region", "us-east-1"),
    )  # fmt: skip
    target = TargetSettings(name="offsite", kind="s3", place="bucket", options=options)
    configuration = dataclasses.replace(temple.configuration, targets=(target,))
    said: list[str] = []
    with override_settings(TEMPLEOPS=configuration):
        for answer in ((403, "AccessDenied"), (500, "InternalError"), (404, "NoSuchBucket")):
            refusing.answer = answer
            with pytest.raises(SystemExit):
                call_command("backup_copy", "--json")
        call_command("backup_copies")
        notices.looked(configuration=configuration, now=temple.now)
        said += [one.sentence + one.fix for one in doctor.examine(configuration=configuration)]
        said.append(figures.text(status.status(configuration=configuration, now=temple.now)).decode())
    said += [capsys.readouterr().out, caplog.text, *(str(record.__dict__) for record in caplog.records)]
    for model in (BackupCopy, AuditEvent, Notification):
        said += [json.dumps(row, default=str) for row in model.objects.values()]

    whole = "\n".join(said)
    assert "offsite" in whole
    assert "target_missing" in whole
    assert [found for found in (secret, "AKIACANARYCANARY") if found in whole] == []
    assert 'templeops_copies{state="failed",target="offsite"} 1.0' in whole
