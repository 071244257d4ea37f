"""DATABASE_URL and JOBS_BROKER_URL: what is wrong is named before anything starts, a missing library by its command."""

from __future__ import annotations

from typing import Any

import pytest

from templeops import wrong_settings

POSTGRES = {"ENGINE": "django.db.backends.postgresql"}


def _without(*names: str) -> Any:
    return lambda name: None if name in names else object()


@pytest.mark.parametrize("scheme", ["redis", "rediss", "amqp", "amqps"])
def test_each_broker_is_known(scheme: str) -> None:
    assert wrong_settings.broker_problem(f"{scheme}://user:password@broker:1234/0") is None


def test_a_missing_library_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_settings, "find_spec", _without("celery", "psycopg"))

    assert wrong_settings.broker_problem("redis://broker/0") == (
        "Not installed: celery. Run: pip install -r requirements-distributed.txt"
    )
    assert wrong_settings.database_problem(POSTGRES) == (
        "PostgreSQL needs psycopg, which is not installed. Run: pip install -r requirements.lock"
    )


def test_a_password_is_not_repeated() -> None:
    problem = wrong_settings.broker_problem("kafka://user:s3cret-word@broker/")

    assert problem is not None and "s3cret-word" not in problem
