"""Twelve odd keys of targets through every error path of copies: commands, logs, records."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.conf import settings

from backups_app.metrics import figures
from backups_app.use_cases.copies import notices, upkeep
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.status import status
from tests.retention import conftest as retention
from tests.use_cases import failing_targets
from tests.use_cases.failing_targets import ANSWERS, NAMES, Watched, count_as_made

temple, refusing, watched = retention.temple, failing_targets.refusing, failing_targets.watched
CODES = (
    "target_denied",
    "target_failed",
    "target_clock_differs",
    "target_full",
    "target_unreachable",
    "bucket_missing",
    "target_misconfigured",
)


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
