"""The twelve states of the card, made real by real runs, schedules, ticks and messages: card, API, command and
`/metrics` say the same. Copies elsewhere do not exist in this version: theirs is the only evidence put in by hand."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client, override_settings

from backups_app.assurance.evidence import Copies
from backups_app.configuration import Configuration, Secret
from backups_app.models import Notification, NotificationChoice, Schedule, User
from backups_app.mongo import availability
from backups_app.notification import channels
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.runs.steps import preflight
from backups_app.use_cases.backups import backups
from backups_app.use_cases.restores import restores
from backups_app.use_cases.schedules import claims
from backups_app.use_cases.status import evidence
from tests.conftest import NOBODY
from tests.journeys.conftest import Db, now, run_backup
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

HERE: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1"}
COPIED = Copies(target="offsite", newest_is_copied=True, uncopied_documents=0, opened=True)


@dataclass
class Scene:
    """What a state may change."""

    configuration: Configuration
    local: Db
    owner: User
    patch: pytest.MonkeyPatch

    def back_up(self, *, delete_bookings: bool = False) -> None:
        assert run_backup(delete_bookings=delete_bookings)["status"] == "success"

    def rehearse(self) -> None:
        started = restores.rehearse(
            backup_id=None, created_by="ananya", origin=Origin.COMMAND, now=now(), enqueue=False
        )
        assert backups.execute(backup_id=started["backup_id"])["status"] == "success"

    def age(self, kind: str, days: int) -> None:
        """Date every run of a kind so many days back, in its record and in its folder."""
        for run in self.local["backup_metadata"].find({"kind": kind}):
            moments = {name: run[name] - timedelta(days=days) for name in ("created_at", "finished_at")}
            self.local["backup_metadata"].update_one({"_id": run["_id"]}, {"$set": moments})

    def copied(self, **changes: Any) -> None:
        copies = dataclasses.replace(COPIED, since=now(), **changes)
        self.patch.setattr(evidence, "copies", lambda **_: copies)

    def watched(self, *, reported: bool = True) -> None:
        """A daily schedule, a worker that ticks, and an e-mail that was accepted."""
        Schedule.objects.create(
            name="daily", do="backup", cron="0 2 * * *", time_zone="Asia/Kolkata", since=now(), settled_at=now(),
            created_at=now(), created_by="ananya",
        )  # fmt: skip
        claims.tick(host="here", now=now())
        if reported:
            accept_a_message(self.owner)


def accept_a_message(person: User) -> None:
    """A test message to this person was accepted just now."""
    person.email = "ananya@temple.example"
    person.save()
    key = channels.key_of_person(person)
    NotificationChoice.objects.create(channel=key, wish="everything", language="en-in")
    Notification.objects.create(
        event="test", kind="test", channel=key, language="en-in", content={}, created_at=now(),
        state="sent", sent_at=now(), message_id="<test@temple.example>",
    )  # fmt: skip


def cloud(scene: Scene) -> Configuration:
    return dataclasses.replace(scene.configuration, primary_database="cloud")


def local_away(scene: Scene) -> Configuration:
    scene.back_up()
    availability.forget_failures()
    return dataclasses.replace(scene.configuration, local_url=NOBODY)


def no_room(scene: Scene) -> None:
    scene.back_up()
    scene.patch.setattr(preflight, "needed_bytes", lambda data: 10**18)


def nothing_yet(scene: Scene) -> None:
    pass


def not_recent(scene: Scene) -> None:
    scene.back_up()
    scene.age("backup", 9)


def only_here(scene: Scene) -> None:
    scene.back_up()
    scene.rehearse()
    scene.watched()


def holders_uncopied(scene: Scene) -> None:
    only_here(scene)
    scene.copied(uncopied_documents=1_552)


def key_never_tried(scene: Scene) -> None:
    only_here(scene)
    scene.copied(opened=False)


def never_restored(scene: Scene) -> None:
    scene.back_up()
    scene.watched()
    scene.copied()


def restored_long_ago(scene: Scene) -> None:
    only_here(scene)
    scene.copied()
    scene.age("rehearsal", 45)


def nobody_is_reported(scene: Scene) -> None:
    scene.back_up()
    scene.rehearse()
    scene.watched(reported=False)
    scene.copied()


def no_schedule(scene: Scene) -> None:
    scene.back_up()
    scene.rehearse()
    scene.copied()


def an_amber(scene: Scene) -> Configuration:
    only_here(scene)
    scene.copied()
    availability.forget_failures()
    # The same Atlas, which does not answer: an address of its own would be another one.
    same = preparation.remote_identity(scene.configuration)
    scene.patch.setattr(preparation, "remote_identity", lambda configuration: same)
    return dataclasses.replace(scene.configuration, cloud_url=NOBODY)


def all_four(scene: Scene) -> None:
    only_here(scene)
    scene.copied()


State = tuple[Callable[[Scene], Configuration | None], str, str, int, str]
STATES: dict[str, State] = {
    "cloud mode": (cloud, "off", "Backups are off on this installation.", 1, "इस स्थापना पर बैकअप बंद हैं"),
    "local server away": (
        local_away, "not_protected",
        "Backups are not possible now: the local MongoDB does not answer. Your 1 backup is safe.", 1, "उत्तर नहीं देता",
    ),
    "another red": (no_room, "not_protected", "Not protected: The backup disk is full", 1, "सुरक्षित नहीं"),
    "no verified backup": (nothing_yet, "not_protected", "Not protected: no backup yet.", 1, "अभी कोई बैकअप नहीं"),
    "not recent": (not_recent, "needs_attention", "The last good backup is 9 days old.", 6, "9 दिन पुराना"),
    "not elsewhere": (
        only_here, "needs_attention", "Backed up, but only on this computer's disk.", 6, "केवल इसी कंप्यूटर की डिस्क पर"),
    "holders uncopied": (
        holders_uncopied, "needs_attention", "1,552 deleted documents exist only on this disk.", 6, "हटाए गए 1,552"),
    "key never tried": (
        key_never_tried, "needs_attention", "Copies exist, but no key has opened one yet.", 6, "किसी कुंजी से कोई नहीं"),
    "never restored": (
        never_restored, "needs_attention", "Backed up; a restore was never tested.", 6, "वापसी की जाँच कभी नहीं"),
    "restored long ago": (
        restored_long_ago, "needs_attention", "Backed up; a restore was last tested 45 days ago.", 6, "45 दिन पहले"),
    "nobody is notified": (
        nobody_is_reported, "needs_attention", "Backed up, but nobody is notified when it stops.", 6,
        "किसी को सूचना नहीं"),
    "no schedule": (
        no_schedule, "needs_attention", "Backed up, but no schedule makes the next backup.", 6, "कोई समय-सारणी नहीं"),
    "an amber": (
        an_amber, "needs_attention", "Needs attention: Atlas can't be reached. Backups still work; sync waits.", 6,
        "Atlas नहीं मिल रहा"),
    "all four marks": (all_four, "protected", "Your data is protected.", 0, "आपका डेटा सुरक्षित है"),
}  # fmt: skip


def command(*words: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command(*words, stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def home_of(person: User, language: str) -> str:
    browser = signed_in(person)
    browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
    return browser.get("/admin/backups/?check=1").content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("state", STATES)
def test_card_api_command_and_metrics_say_the_same(
    state: str,
    seeded: Configuration,
    local_db: Db,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, level, sentence, exit_code, hindi = STATES[state]
    settings = with_mail(seeded)
    with override_settings(TEMPLEOPS=settings):
        changed = make(Scene(configuration=settings, local=local_db, owner=super_admin, patch=monkeypatch))

    with override_settings(TEMPLEOPS=changed or settings):
        answer: Any = sign_in(super_admin).get("/api/backup/status")
        code, text = command("backup_status")
        json_code, printed = command("backup_status", "--json")
        figures = Client().get("/metrics", **HERE).content.decode()
        english, in_hindi = home_of(super_admin, "en-in"), home_of(super_admin, "hi")

    reported = answer.json()
    assert (reported["verdict"], reported["sentence"][: len(sentence)]) == (level, sentence)
    assert reported["assurance"]["sentence"] == reported["sentence"]
    assert json.loads(printed)["assurance"]["code"] == reported["assurance"]["code"]
    assert (code, json_code, text.startswith(sentence)) == (exit_code, exit_code, True)
    instance = f'instance="{seeded.database_name}"'
    assert f'templeops_assurance_level{{{instance},level="{level}"}} 1.0' in figures
    assert f'templeops_assurance_code{{code="{reported["assurance"]["code"]}",{instance}}} 1.0' in figures
    assert f"templeops_protected{{{instance}}} {float(level == 'protected')}" in figures
    for name, mark in reported["assurance"]["marks"].items():
        assert f'templeops_assurance_mark{{{instance},mark="{name}"}} {float(mark["ok"])}' in figures
        assert mark["ok"] is (mark["missing_code"] is None)
    assert sentence.partition(". ")[0].rstrip(".") in english
    assert hindi in in_hindi
    assert ("Your data is protected" in english) is (level == "protected")
    assert not (reported["assurance"]["marks"]["elsewhere"]["ok"] and "every backup would be lost" in english)
    assert ("आपका डेटा सुरक्षित है" in in_hindi) is (level == "protected")


def with_mail(configuration: Configuration) -> Configuration:
    """Mail is switched on: without it no person is a channel."""
    mail = {"email_url": Secret("smtp://127.0.0.1:9"), "default_from_email": "b@temple.example"}
    return dataclasses.replace(configuration, **mail)  # type: ignore[arg-type]
