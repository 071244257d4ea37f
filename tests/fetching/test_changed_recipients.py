"""After a change of the recipients the next incremental run makes a full backup, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.test import override_settings

from backups_app.configuration import Configuration
from backups_app.messages import runs as messages
from backups_app.target_settings import TargetSettings
from tests.journeys.conftest import run_backup, seeded  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db


def test_the_run_after_a_change_of_the_keys_is_a_full_one(seeded: Configuration, tmp_path: Path) -> None:  # noqa: F811
    target = TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas"))
    before = replace(seeded, targets=(target,), copy_recipients=("age1first",))
    after = replace(before, copy_recipients=("age1second",))

    with override_settings(TEMPLEOPS=before):
        run_backup(delete_bookings=False)
        same = run_backup(delete_bookings=False, incremental=True)
    with override_settings(TEMPLEOPS=after):
        changed = run_backup(delete_bookings=False, incremental=True)
        again = run_backup(delete_bookings=False, incremental=True)

    assert [bool(run.incremental.base) for run in (same, changed, again)] == [True, False, True]
    assert messages.FULL_AFTER_NEW_KEYS() in changed.steps[0].sentence
