"""A run that waits for a worker: after a minute its panel says to start one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template.loader import render_to_string

from backups_app.pages.runs import run_panel
from backups_app.records import Phase
from tests.pages.conftest import MOMENT
from tests.pages.test_run_panel import running


@pytest.mark.django_db
@pytest.mark.parametrize(("waited", "says"), [(59, False), (60, True), (600, True)])
def test_a_run_that_no_worker_takes_within_a_minute_says_to_start_one(waited: int, says: bool) -> None:
    queued = running(phase=Phase.QUEUED.value)

    panel = run_panel.make_panel(queued, now=MOMENT + timedelta(seconds=waited))
    shown = render_to_string("runs/_progress.html", {"panel": panel})

    assert panel.waits_for_a_worker is says
    assert ("Start a worker: manage.py serve, or manage.py worker." in shown) is says
    assert "Still working" not in shown or not says
