"""Every message through every face: the record and `metadata.json`, the page in both languages, API and command."""

from __future__ import annotations

import html
import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from backups_app.backup_files import metadata
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.models import User
from backups_app.pages.shared.translation import translated
from backups_app.runs.closing import closing
from tests.pages.conftest import a_run, signed_in, step
from tests.pages.test_hindi import carried_out
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)
from tests.static_parts.test_messages import declared

pytestmark = pytest.mark.django_db

STATED_BY_THE_HEADLINE = frozenset({messages.WITHOUT_THE_NEWEST_BECAUSE.code})


def every_message() -> list[Message]:
    """Return each declared sentence with facts: a number where it counts, a name with an odd sign elsewhere."""
    return [one(**{place: 3 if place == "n" else f"<{place}>" for place in one.places}) for one in declared()]


def command(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def saying_everything(seeded: Configuration, local_db: Any) -> dict[str, Any]:
    """A run whose warnings are all messages there are."""
    run = carried_out()
    runs.amend(local_db, backup_id=run["_id"], changes={"warnings": every_message()})
    document = runs.get(local_db, backup_id=run["_id"])
    assert document is not None
    assert closing.mirror(Store(seeded.backup_dir), document=document) == []
    return document


def test_every_message_passes_every_face(
    saying_everything: dict[str, Any],
    seeded: Configuration,
    local_db: Any,
    admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    backup_id, sentences = saying_everything["_id"], every_message()
    english, codes = [str(one) for one in sentences], [one.code for one in sentences]

    raw = runs.collection(local_db).find_one({"_id": backup_id})
    assert raw is not None
    assert [one["code"] for one in raw["warning_details"]] == codes
    assert raw["warnings"] == [one["sentence"] for one in raw["warning_details"]] == english
    assert [one.code for one in saying_everything["warnings"]] == codes

    written = json.loads((Store(seeded.backup_dir).folder(backup_id) / "metadata.json").read_text(encoding="utf-8"))
    assert [one["code"] for one in written["warning_details"]] == codes
    kept = metadata.read(Store(seeded.backup_dir).folder(backup_id))
    assert kept is not None and [one.code for one in kept["warnings"]] == codes

    answer = json.loads(sign_in(admin).get(f"/api/backups/{backup_id}").content)
    assert answer["warnings"] == english and [one["code"] for one in answer["warning_details"]] == codes
    assert all(step["sentence"] == "" or step["code"] for step in answer["steps"])

    shown = json.loads(command("backup_show", backup_id, "--json"))
    assert shown["warnings"] == english and [one["code"] for one in shown["warning_details"]] == codes
    text = command("backup_show", backup_id)
    assert [one for one in english if one not in text] == []

    for language in ("en-in", "hi"):
        browser = signed_in(admin)
        browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        page = html.unescape(browser.get(f"/admin/backups/runs/{backup_id}/").content.decode())
        with translation.override(language):
            missing = [one.code for one in sentences if translated(one) not in page]
        assert set(missing) <= STATED_BY_THE_HEADLINE, language


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_a_record_from_before_codes_is_shown_as_it_is(
    seeded: Configuration, local_db: Any, admin: User, language: str
) -> None:
    """Its sentences have no code: every page shows them in English, marked as such."""
    sentences = "Stopped by ravi. The purge deleted nothing."
    steps = [step("preflight", "done", sentence="Room for 3 backups"), step("dump", "failed", sentence="It stopped")]
    run = a_run(status="failed", error_code="dump_failed", error_message=sentences, steps=steps, warnings=["Old disk."])
    local_db.backup_metadata.insert_one(dict(run))
    browser = signed_in(admin)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    page = browser.get(f"/admin/backups/runs/{run.backup_id}/").content.decode()

    for text in (*sentences.split(". ", 1)[1:], "Room for 3 backups", "It stopped", "Old disk."):
        shown = text if language.startswith("en") else f'<span lang="en">{text}</span>'
        assert shown in page
