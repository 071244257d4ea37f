"""A refusal of retention on a page in Hindi."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from backups_app.models import User
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple


def test_rules_that_keep_nothing_are_refused_in_hindi(temple: Temple, super_admin: User) -> None:
    browser: Client = signed_in(super_admin)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    rules = dict.fromkeys(("last", "daily", "weekly", "monthly", "yearly"), "0")

    answer = browser.get("/admin/backups/schedule/retention/preview/", rules, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert "ये नियम कुछ भी नहीं रखेंगे।" in answer.content.decode()
