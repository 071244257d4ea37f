"""What the program refuses to start with, and that production passes Django's own deployment check."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from templeops import secret_key
from tests.fork_server import ForkServer

Manage = Callable[..., tuple[int, str]]
GOOD = secrets.token_urlsafe(48)


@pytest.fixture
def manage(fork_server: ForkServer) -> Manage:
    """Runs manage.py as an operator does. Returns exit code and everything it stated."""
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        settings = {**clean, "MONGODB_LOCAL_URL": "mongodb://127.0.0.1", "PYTHONWARNINGS": "error", **environment}
        done = fork_server.run(*arguments, environment=settings)
        return done.returncode, done.stdout + done.stderr

    return run


def test_production_passes_djangos_deployment_check(manage: Manage) -> None:
    code, message = manage(
        "check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=GOOD, ALLOWED_HOSTS="temple.example"
    )

    assert code == 0, message


def test_plain_http_by_its_named_setting_is_what_the_check_then_warns_of(manage: Manage) -> None:
    code, message = manage("check", "--deploy", SECRET_KEY=GOOD, ALLOW_PLAIN_HTTP="true")

    assert code == 0
    assert "security.W012" in message


@pytest.mark.parametrize(
    "key",
    ["changeme-" + "x1y2z3" * 10, "django-insecure-" + GOOD, "<your secret>" * 6, "short", "a" * 64],
    ids=["changeme", "insecure", "placeholder", "short", "one letter"],  # GOOD differs in each worker of the suite
)
def test_a_key_that_anybody_could_guess_is_refused(manage: Manage, key: str) -> None:
    code, message = manage("check", SECRET_KEY=key)

    assert code != 0
    assert "SECRET_KEY" in message
    assert key not in message


@pytest.mark.parametrize("hosts", ["temple.example", "*", "127.0.0.1,192.0.2.7", ".example"])
def test_debug_refuses_a_public_address(manage: Manage, hosts: str) -> None:
    code, message = manage("check", SECRET_KEY=GOOD, DEBUG="true", ALLOWED_HOSTS=hosts)

    assert code != 0
    assert "DEBUG" in message


def test_debug_on_this_machine_works(manage: Manage) -> None:
    assert manage("check", SECRET_KEY=GOOD, DEBUG="true")[0] == 0


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / ".secret_key"

    first, second = secret_key.kept_in(path), secret_key.kept_in(path)

    assert first == second
    assert secret_key.problem_with(first) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_where_none_can_be_kept_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is not set"):
        secret_key.kept_in(tmp_path / "missing" / ".secret_key")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_NAME", "Temple DB"),
        ("DATABASE_NAME", "temple.db"),
        ("DATABASE_NAME", "admin"),
        ("DATABASE_NAME", "ம" * 22),
        ("TIME_ZONE", "Mars/Phobos"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("BACKUP_DIR", str(Path(__file__))),
        ("BACKUP_DIR", f"{Path(__file__)}/below"),
        ("DATABASE_URL", "[::1]"),
        ("DATABASE_URL", "postgres://[::1/n"),
        ("DATABASE_URL", "mysql://h/n"),
        ("JOBS_BROKER_URL", "http://h/"),
        ("JOBS_BROKER_URL", "redis://"),
        ("JOBS_BROKER_URL", "redis://h:port/0"),
        ("JOBS_BROKER_URL", "amqp://[::1/"),
        ("ALLOWED_HOSTS", "temple.example:8000"),
        ("ALLOWED_HOSTS", "::1"),
        ("LEASE_SECONDS", "9" * 20),
        ("PURGE_LEDGER_DAYS", "9" * 9),
        ("SYNC_PROOF_DAYS", "0"),
        ("MONGODUMP_TIMEOUT_SECONDS", "five"),
        ("BACKUP_SYNC_WAIT_SECONDS", "-1"),
        ("SYNC_EXCLUDE", '["a,b"'),
        ("SYNC_EXCLUDE", '["a", 1]'),
        ("SYNC_EXCLUDE", '[""]'),
    ],
)
def test_a_wrong_setting_is_named_among_the_others_without_a_traceback(manage: Manage, name: str, value: str) -> None:
    code, message = manage("check", DEBUG="perhaps", SECRET_KEY="short", **{name: value})

    assert code == 1
    assert "Traceback" not in message
    assert all(f"{wrong}: " in message for wrong in ("DEBUG", "SECRET_KEY", name))


@pytest.mark.parametrize(
    "name", ["DATABASE_NAME", "TIME_ZONE", "BACKUP_DIR", "LEASE_SECONDS", "ALLOWED_HOSTS", "DEBUG", "SYNC_EXCLUDE"]
)
def test_an_empty_setting_is_as_good_as_none(manage: Manage, name: str) -> None:
    code, message = manage("check", SECRET_KEY=GOOD, **{name: ""})

    assert (code, "no issues" in message) == (0, True), message


def test_hosts_may_be_written_with_spaces_and_in_brackets(manage: Manage) -> None:
    code, message = manage("check", SECRET_KEY=GOOD, ALLOWED_HOSTS="[::1], temple.example ,.temple.example")

    assert code == 0, message
