"""The states of the card in a browser: each made real as in `tests/journeys/test_assurance_states.py`, in the language,
width and colours that hide a fault most easily. Only the state with all four marks says "protected".

Three states in the short form. TEMPLEOPS_LONG=1: all of them, each wide and narrow, light and dark, in both languages.
Pictures are in tests/output.
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from playwright.sync_api import expect

from backups_app.configuration import Configuration
from backups_app.models import User
from tests.browser.checked_page import LONG, CheckedPage
from tests.browser.in_process import HOUSE, served
from tests.browser.in_process import looked_at as looked_at
from tests.browser.in_process import one_connection as one_connection
from tests.journeys.conftest import Db
from tests.journeys.conftest import seeded as seeded
from tests.journeys.test_assurance_states import STATES, Scene, with_mail
from tests.pages.conftest import signed_in

MUTED = ".warn, .bad, .info"
PROTECTED = {"en-in": "Your data is protected", "hi": "आपका डेटा सुरक्षित है"}


SHORT = ("local server away", "holders uncopied", "all four marks")
"""Those that are looked at in the short form: a red one, an amber one, the green one."""


@pytest.mark.parametrize("state", STATES if LONG else SHORT)
def test_the_card_of_a_state_in_the_browser(
    state: str,
    seeded: Configuration,
    local_db: Db,
    super_admin: User,
    looked_at: CheckedPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, level, sentence, _, hindi = STATES[state]
    settings = with_mail(seeded)
    with override_settings(TEMPLEOPS=settings):
        changed = make(Scene(configuration=settings, local=local_db, owner=super_admin, patch=monkeypatch))
    person = signed_in(super_admin)
    served(looked_at.page, person)
    turn = list(STATES).index(state) % 2
    languages = [("en-in", sentence), ("hi", hindi)]

    with override_settings(TEMPLEOPS=changed or settings):
        for language, message in languages if LONG else languages[turn : turn + 1]:
            person.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
            looked_at.page.goto(f"{HOUSE}/admin/backups/?check=1")
            looked_at.wait_until_still()
            card = looked_at.page.locator("main")
            expect(card).to_contain_text(message.partition(". ")[0].rstrip("."))
            assert (PROTECTED[language] in looked_at.page.inner_text("body")) is (level == "protected")
            assert (looked_at.page.locator(f".verdict:is({MUTED})").count() == 0) is (level == "protected")
            looked_at.check(f"30-{re.sub('[^a-z]+', '-', state)}-{language}")
