"""The page Notifications: channels, a test of each, the outbox; who may change what. The same by API and command."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, Notification, NotificationChoice, User
from tests.notification.conftest import mailbox, messaging, readers, receiver
from tests.notification.receivers import Calls, MailBox
from tests.pages.conftest import signed_in

__all__ = ["mailbox", "messaging", "readers", "receiver"]

pytestmark = pytest.mark.django_db
PAGE = "/admin/backups/notifications/"
SECRETS = ("T0PSECRETKEY", "canary-uuid", "127.0.0.1")


def test_the_page_shows_channels_and_no_key(messaging: Configuration, readers: tuple[User, User]) -> None:
    message = signed_in(readers[0]).get(PAGE).content.decode()

    assert "ananya@temple.example" in message and "ravi@temple.example" in message
    assert "<code>json</code>" in message and "HEALTHCHECK_URL" in message
    assert not any(secret in message for secret in SECRETS)


def test_a_test_says_of_each_channel_whether_it_was_accepted(
    messaging: Configuration, readers: tuple[User, User], mailbox: MailBox, receiver: Calls
) -> None:
    receiver.status = 500
    browser = signed_in(readers[0])

    answer = browser.post(f"{PAGE}test/", {"channel": ""}, follow=True)

    message = answer.content.decode()
    assert message.count("The test message was accepted.") == 2
    assert message.count("The service did not accept the message.") >= 1
    assert {mail["Subject"].strip() for mail in mailbox.mails} == {
        "[Temple backups] Test message", "[मंदिर बैकअप] परीक्षण संदेश"
    }  # fmt: skip
    assert [path for path in receiver.paths if path.startswith("/ping")] == ["/ping/2f6f1d8e-canary-uuid/log"]
    assert AuditEvent.objects.filter(action="notification.test").count() == 4


def test_a_choice_and_an_address_are_saved_and_on_record(messaging: Configuration, super_admin: User) -> None:
    browser = signed_in(super_admin)
    form = {"person": str(super_admin.pk), "address": "new@temple.example", "wish": "everything", "language": "hi"}

    assert browser.post(f"{PAGE}save/", form).status_code == 303

    super_admin.refresh_from_db()
    choice = NotificationChoice.objects.get()
    assert (super_admin.email, choice.wish, choice.language) == ("new@temple.example", "everything", "hi")
    assert AuditEvent.objects.filter(action="notification.change").count() == 1
    assert "new@temple.example" not in repr(list(AuditEvent.objects.values()))


def test_a_wrong_address_is_stated_at_its_field_and_changes_nothing(
    messaging: Configuration, super_admin: User
) -> None:
    form = {"person": str(super_admin.pk), "address": "a@b.example, c@d.example", "wish": "problems", "language": "hi"}

    answer = signed_in(super_admin).post(f"{PAGE}save/", form)

    message = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#address-{super_admin.pk}"' in message and 'value="a@b.example, c@d.example"' in message
    super_admin.refresh_from_db()
    assert super_admin.email == ""


def test_an_admin_changes_their_own_and_nobody_elses(messaging: Configuration, readers: tuple[User, User]) -> None:
    ananya, ravi = readers
    browser = signed_in(ravi)
    own = {"person": str(ravi.pk), "address": "r@temple.example", "wish": "problems", "language": "en-in"}

    assert browser.post(f"{PAGE}save/", own).status_code == 303
    assert browser.post(f"{PAGE}save/", {**own, "person": str(ananya.pk)}).status_code == 422
    key = (
        Notification(channel="x").channel
        and next(one for one in browser.get(PAGE).context["services"] if not one["is_ping"])["key"]
    )
    assert browser.post(f"{PAGE}save/", {"channel": key, "wish": "nothing", "language": "hi"}).status_code == 422

    ananya.refresh_from_db()
    assert ananya.email == "ananya@temple.example"


def test_a_message_is_shown_as_it_is_sent_and_tried_again_on_request(
    messaging: Configuration, readers: tuple[User, User], mailbox: MailBox
) -> None:
    mailbox.refuse = "451 later"
    browser = signed_in(readers[0])
    browser.post(f"{PAGE}test/", {"channel": f"mail:{readers[1].pk}"})
    row = Notification.objects.get()

    message = browser.get(PAGE).content.decode()
    shown = browser.get(f"{PAGE}{row.pk}/").content.decode()
    mailbox.refuse = ""
    browser.post(f"{PAGE}retry/")

    assert "The mail server refused the message (answer 451)." in message and "Waiting" in message
    assert "परीक्षण संदेश" in shown
    row.refresh_from_db()
    assert row.next_attempt_at is not None and row.state == "waiting"
    assert browser.get(f"{PAGE}999999/").status_code == 404


def test_the_page_without_any_setting_says_what_to_set(configured: Configuration, super_admin: User) -> None:
    browser = signed_in(super_admin)

    message = browser.get(PAGE).content.decode()
    answer = browser.post(f"{PAGE}test/", {})

    assert "EMAIL_URL" in message and "NOTIFY_URLS" in message
    assert answer.status_code == 422 and "No channel for messages is set up" in answer.content.decode()


def test_the_page_is_hindi(messaging: Configuration, readers: tuple[User, User], hindi: Client) -> None:
    message = hindi.get(PAGE).content.decode()

    for sentence in ("सूचनाएँ", "परीक्षण भेजें", "अभी कोई संदेश नहीं।"):
        assert sentence in message


def test_the_command_tests_and_lists(messaging: Configuration, readers: tuple[User, User], mailbox: MailBox) -> None:
    out, listed, whole = StringIO(), StringIO(), StringIO()

    call_command("backup_notify", "test", "--channel", f"mail:{readers[0].pk}", stdout=out)
    call_command("backup_notify", "list", "--json", stdout=listed)
    call_command("backup_notify", "list", stdout=whole)

    assert "accepted" in out.getvalue()
    assert [row["state"] for row in json.loads(listed.getvalue())] == ["sent"]
    assert "Test message" in whole.getvalue()
    assert not any(secret in whole.getvalue() + listed.getvalue() for secret in SECRETS)


def test_the_command_ends_with_1_where_a_channel_refuses(
    messaging: Configuration, readers: tuple[User, User], mailbox: MailBox
) -> None:
    mailbox.refuse = "554 no"
    with pytest.raises(SystemExit) as end:
        call_command("backup_notify", "test", "--channel", f"mail:{readers[0].pk}", "--json", stdout=StringIO())

    assert end.value.code == 1


def test_the_command_names_an_unknown_channel(messaging: Configuration, capsys: Any) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("backup_notify", "test", "--channel", "mail:77", stdout=StringIO(), stderr=StringIO())

    assert end.value.code == 10
