"""The settings of messages: several addresses in one value, wrong ones by name, and none of them in any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from environs import Env, EnvValidationError

from backups_app import configuration
from backups_app.access.secrecy.redaction import scrub
from backups_app.configuration import Configuration


def read(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: str) -> Configuration:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    env = Env(eager=False)
    found = configuration.read(env, base_dir=folder)
    env.seal()
    return found


def test_several_addresses_stand_in_one_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = read(monkeypatch, tmp_path, NOTIFY_URLS="slack://a/b/c, json://host/x?to=1,2\n ntfys://topic slack://a/b/c")

    assert found.notify_urls == ("slack://a/b/c", "json://host/x?to=1,2", "ntfys://topic")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_URL", "http://mail.temple.example"),
        ("SITE_URL", "backup.temple.example"),
        ("SITE_URL", "javascript:alert(1)"),
        ("HEALTHCHECK_URL", "file:///etc/passwd"),
        ("DEFAULT_FROM_EMAIL", "Temple\r\nBcc: thief@evil.example"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(EnvValidationError) as refusal:
        read(monkeypatch, tmp_path, **{name: value})

    assert set(refusal.value.error_messages) == {name}


@pytest.mark.django_db
def test_keys_of_channels_are_taken_out_of_every_text(messaging: Configuration) -> None:
    message = scrub("refused by /services/T0PSECRETKEY and by http://host/ping/2f6f1d8e-canary-uuid/fail")

    assert "T0PSECRETKEY" not in message
    assert "canary" not in message
