"""A wrong setting is refused by its name, and no part of it is repeated: it may hold a password in a wrong place."""

from __future__ import annotations

import os

import pytest

from backups_app import mail_url, target_settings, url_parts
from backups_app.errors import HealthcheckFailed
from backups_app.notification import pings
from templeops import wrong_settings
from tests.fork_server import ForkServer

SECRET = "s3cr3t-canary"
RESTS = (f"user:[{SECRET}]@host", f"user:{SECRET}\u2100x@host", f"user:{SECRET}@host:{SECRET}", f"[{SECRET}]/x")
"""What Python's own errors repeat: a host in brackets, one that Unicode normalises into another, a port."""


@pytest.mark.parametrize("rest", RESTS)
@pytest.mark.parametrize("scheme", ["s3", "https", "redis", "smtp", "foo", "mongodb"])
def test_no_reader_of_a_url_repeats_it(scheme: str, rest: str) -> None:
    url = f"{scheme}://{rest}"
    with pytest.raises(ValueError) as refusal:
        url_parts.split(url)
    with pytest.raises(ValueError) as of_target:
        target_settings.parse(f"off={url}", environment={})
    with pytest.raises(ValueError) as of_mail:
        mail_url.parse(url)
    problem = wrong_settings.broker_problem(url)

    assert problem is not None
    for text in (refusal.value, of_target.value, of_mail.value, problem):
        assert SECRET not in str(text)
    for error in (refusal.value, of_target.value, of_mail.value):
        assert error.__suppress_context__
    assert not url_parts.is_of_the_web(url)
    assert url_parts.host(url) == ""


@pytest.mark.parametrize("endpoint", [f"https://user:{SECRET}@host", f"https://[{SECRET}]/", f"ftp://{SECRET}", SECRET])
@pytest.mark.parametrize("variable", ["BACKUP_TARGET_OFF_ENDPOINT", "AWS_ENDPOINT_URL"])
def test_an_endpoint_is_an_address_without_a_user(variable: str, endpoint: str) -> None:
    with pytest.raises(ValueError) as refusal:
        target_settings.parse("off=s3://bucket", environment={variable: endpoint})

    assert variable in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_healthcheck_that_cannot_be_called_is_a_named_failure() -> None:
    with pytest.raises(HealthcheckFailed) as failure:
        pings.ping(url=f"https://127.0.0.1\x01{SECRET}/x", what="test")

    assert SECRET not in str(failure.value)


@pytest.mark.parametrize(
    "setting",
    [
        f"BACKUP_TARGETS=off=s3://AKIA:[{SECRET}]@bucket",
        f"HEALTHCHECK_URL=https://[{SECRET}]/x",
        f"SITE_URL=https://user:{SECRET}@host",
        f"JOBS_BROKER_URL=redis://:[{SECRET}]x@host/0",
        f"EMAIL_URL=smtp://user:[{SECRET}]x@host",
        f"DATABASE_URL=postgres://user:[{SECRET}]x@host/0",
    ],
)
def test_every_command_names_the_setting_without_its_value(setting: str, fork_server: ForkServer) -> None:
    name, _, value = setting.partition("=")
    clean = {key: text for key, text in os.environ.items() if key in ("PATH", "HOME", "LANG")}

    done = fork_server.run("check", environment={**clean, name: value})

    assert done.returncode != 0
    assert f"{name}:" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
