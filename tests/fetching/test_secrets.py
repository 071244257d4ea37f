"""Twelve odd secrets through the error paths of keys and fetching: none is found in words, logs or records."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings
from environs import Env, EnvValidationError

from backups_app import configuration
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.storage import encryption, object_store
from backups_app.target_settings import TargetSettings
from tests import odd_secrets
from tests.fetching.conftest import KEY
from tests.fetching.test_commands import command

pytestmark = pytest.mark.django_db
COMMANDS = [
    ("backup_copies", "--from", "offsite"),
    ("backup_fetch", "latest", "--from", "offsite"),
    ("backup_fetch", "holders", "--from", "offsite", "--site"),
    ("backup_keys", "test", "--identity", "{key}"),
    ("backup_rehearse", "--from", "offsite", "--identity", "{key}"),
]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    backoff = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=2), "base": 2}
    retries = {"max_retries": 0, "retry_timeout": timedelta(seconds=1), "backoff": backoff}
    monkeypatch.setattr(object_store, "RETRIES", retries)


@pytest.fixture(params=odd_secrets.ALL)
def secret(request: pytest.FixtureRequest, configured: Configuration) -> Iterator[str]:
    """A secret that is the access key's and a part of the private key file, at a server that does not answer."""
    found = str(request.param)
    options = {"endpoint": "http://127.0.0.1:9", "access_key_id": "reader", "secret_access_key": found, "region": "x"}
    target = TargetSettings(name="offsite", kind="s3", place="bucket", options=tuple(options.items()))
    with override_settings(TEMPLEOPS=replace(configured, targets=(target,), copy_recipients=(KEY.public,))):
        yield found


def test_no_secret_is_in_what_is_stated_logged_or_recorded(
    secret: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key_file, broken = tmp_path / "key.txt", tmp_path / "broken.txt"
    key_file.write_text(KEY.private)
    broken.write_text(f"AGE-SECRET-KEY-1{secret}\n")
    caplog.set_level(logging.DEBUG)
    sentences = []

    for arguments in COMMANDS:
        for extra in ((), ("--json",)):
            code, *texts = command(*(one.format(key=key_file) for one in arguments), *extra)
            assert code != 0, arguments
            sentences += texts
    refused, *texts = command("backup_copies", "--from", "offsite", "--identity", str(broken), "--json")

    assert (refused, json.loads(texts[0])["code"]) == (14, "key_not_readable")
    everything = "\n".join([*sentences, *texts, caplog.text, *map(str, AuditEvent.objects.values_list())])
    assert odd_secrets.found_in(everything, secret) == []
    assert KEY.private not in everything


def test_the_readable_part_of_a_setting_that_is_wrong_repeats_no_private_key() -> None:
    pair = encryption.new_key_pair()
    env = Env(eager=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKUP_COPY_RECIPIENTS", pair.private)
        configuration.read(env, base_dir=Path("/"))
        with pytest.raises(EnvValidationError) as failure:
            env.seal()

    assert "BACKUP_COPY_RECIPIENTS" in failure.value.error_messages
    assert pair.private not in str(failure.value)
