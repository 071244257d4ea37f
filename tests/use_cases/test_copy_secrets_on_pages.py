"""The same keys through pages, the API and jobs."""

from __future__ import annotations

import pytest
from django.test import Client

from backups_app.management import reading_lane
from backups_app.models import User
from backups_app.storage import copy_manifest
from backups_app.use_cases.lanes import carrying_out
from tests.pages.conftest import signed_in
from tests.retention import conftest as retention
from tests.security.conftest import Caller, SignIn, sign_in  # noqa: F401  (a fixture)
from tests.use_cases import failing_targets
from tests.use_cases.failing_targets import NAMES, Watched, count_as_made

temple, refusing, watched = retention.temple, failing_targets.refusing, failing_targets.watched
PAGE = "/admin/backups/copies/"


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
