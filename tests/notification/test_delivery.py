"""Each kind of message reaches each channel once, in both languages; what fails is tried again and says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine

from backups_app import configuration as settings
from backups_app import mail_url
from backups_app.configuration import Configuration, Secret
from backups_app.messages.protection import notifications as messages
from backups_app.models import Notification, NotificationChoice, User
from backups_app.notification import channels, mail, outbox, reports
from backups_app.notification.content import Content
from backups_app.notification.states import Kind
from backups_app.notification.wording import worded
from backups_app.runs.closing import reporting
from backups_app.use_cases.notifications import notification_work, notifications
from tests.notification.conftest import NOW, with_settings
from tests.notification.receivers import Calls, MailBox

pytestmark = pytest.mark.django_db
TITLES = {
    Kind.SUCCESS: messages.BACKUP_DONE, Kind.PARTIAL: messages.BACKUP_PARTIAL, Kind.FAILED: messages.BACKUP_FAILED,
    Kind.OVERDUE: messages.OVERDUE, Kind.REHEARSAL_FAILED: messages.REHEARSAL_FAILED,
    Kind.COPY_FAILED: messages.COPY_FAILED,
    Kind.DISK_LOW: messages.DISK_LOW,
}  # fmt: skip


def announce(configuration: Configuration, kind: Kind, *, event: str = "", now: datetime = NOW) -> None:
    title = TITLES[kind]() if kind in TITLES else messages.SOLVED(title=messages.BACKUP_FAILED())
    reports.announce(
        event=event or f"test:{kind}", kind=kind, now=now, sender_domain="temple.example",
        content=Content(title=title, facts=((messages.SINCE(), NOW),), path="/admin/backups/"),
        channels=channels.every(reporting.channel_settings(configuration)),
    )  # fmt: skip


def everything(configuration: Configuration) -> None:
    url = configuration.notify_urls[0]
    NotificationChoice.objects.create(channel=channels.key_of_url(url), wish="everything", language="hi")


@time_machine.travel(NOW, tick=False)
def test_each_kind_reaches_each_channel_once_in_its_language(
    messaging: Configuration, mailbox: MailBox, receiver: Calls, readers: tuple[User, User]
) -> None:
    everything(messaging)
    for kind in Kind:
        announce(messaging, kind)
        announce(messaging, kind)  # the same event again is no second message

    while notification_work.deliver(configuration=messaging):
        pass

    assert Notification.objects.exclude(state="sent").count() == 0
    english, hindi = (
        [mail for mail in mailbox.mails if mail["To"] == f"{name}@temple.example"] for name in ("ananya", "ravi")
    )
    assert len(english) == len(hindi) == len(Kind)
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 2 * len(Kind)
    subjects = {mail["Subject"] for mail in english}
    assert "[Temple backups] Backup failed" in subjects and "[Temple backups] Solved: Backup failed" in subjects
    assert not any(sign.isascii() and sign.isalpha() for mail in hindi for sign in str(mail["Subject"]))
    assert len(receiver.json) == len(Kind)
    assert not any(sign.isascii() and sign.isalpha() for call in receiver.json for sign in call["title"])


@time_machine.travel(NOW, tick=False)
def test_a_mail_has_plain_text_html_and_a_link(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User]
) -> None:
    announce(messaging, Kind.FAILED)

    notification_work.deliver(configuration=messaging)

    mail = next(one for one in mailbox.mails if one["To"] == "ananya@temple.example")
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and html is not None
    for text in (plain.get_content(), html.get_content()):
        assert "Backup failed" in text
        assert "https://backup.temple.example/admin/backups/" in text
        assert "28 Nov 2026, 17:30 IST" in text
    assert mail["From"] == "Temple backups <backup@temple.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@temple.example>")


def test_without_a_choice_super_admins_are_sent_problems_and_admins_nothing(
    messaging: Configuration, mailbox: MailBox, super_admin: User, admin: User, staff: User
) -> None:
    for person in (super_admin, admin, staff):
        person.email = f"{person.username}@temple.example"
        person.save()

    announce(messaging, Kind.SUCCESS)
    announce(messaging, Kind.FAILED)
    notification_work.deliver(configuration=messaging)

    assert [(mail["To"], mail["Subject"]) for mail in mailbox.mails] == [
        ("ananya@temple.example", "[Temple backups] Backup failed")
    ]


def test_a_mail_server_that_is_dead_for_an_hour_loses_no_message(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User]
) -> None:
    dead = Secret("smtp://127.0.0.1:9")
    with with_settings(messaging, email_url=dead, notify_urls=(), healthcheck_url=Secret("")):
        for minute in range(61):
            with time_machine.travel(NOW + timedelta(minutes=minute), tick=False):
                if minute % 6 == 0:
                    announce(
                        settings.current(), Kind.FAILED, event=f"minute {minute}",
                        now=NOW + timedelta(minutes=minute),
                    )  # fmt: skip
                notification_work.deliver(configuration=settings.current())
        waiting = Notification.objects.filter(state="waiting")
        assert waiting.count() == 22
        assert set(waiting.exclude(problem_code="").values_list("problem_code", flat=True)) == {
            "mail_server_unreachable"
        }
        tries = sum(Notification.objects.values_list("attempts", flat=True))
    assert tries < 60
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        notification_work.deliver(configuration=messaging)

    sent = [(mail["To"], mail["Message-ID"]) for mail in mailbox.mails]
    assert len(sent) == len(set(sent)) == 22


@time_machine.travel(NOW, tick=False)
def test_a_sender_that_is_killed_sends_once_more_and_the_outbox_says_so(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User]
) -> None:
    announce(messaging, Kind.FAILED)
    real = outbox.sent

    def killed(row: Notification, *, now: datetime) -> None:
        raise KeyboardInterrupt  # after the server accepted it, before that was written down

    with patch.object(outbox, "sent", killed), pytest.raises(KeyboardInterrupt):
        notification_work.deliver(configuration=messaging)
    notification_work.deliver(configuration=messaging)  # another worker, at once: the row is still claimed
    first = mailbox.mails[0]
    twice = [mail for mail in mailbox.mails if mail["Message-ID"] == first["Message-ID"]]
    assert len(twice) == 1

    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        for _ in range(3):
            notification_work.deliver(configuration=messaging)

    assert outbox.sent is real
    twice = [mail for mail in mailbox.mails if mail["Message-ID"] == first["Message-ID"]]
    assert len(twice) == 2
    assert Notification.objects.get(message_id=first["Message-ID"]).interruptions == 1
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("451 try later", "mail_refused"),
        ("554 no such person", "mail_refused"),
        ("535 login refused", "mail_refused"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_a_refusal_is_kept_by_its_name(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User], answer: str, code: str
) -> None:
    mailbox.refuse = answer
    announce(messaging, Kind.FAILED)

    notification_work.deliver(configuration=messaging)

    row = Notification.objects.filter(channel__startswith="mail:").first()
    assert row is not None
    assert (row.state, row.problem_code, row.problem_facts) == ("waiting", code, {"reply": int(answer[:3])})
    assert row.next_attempt_at == NOW + timedelta(minutes=1)


@time_machine.travel(NOW, tick=False)
def test_one_person_whom_the_server_refuses_does_not_hold_up_the_other(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User]
) -> None:
    async def refuse_ananya(server: Any, session: Any, envelope: Any, address: str, rcpt_options: Any) -> str:
        if address.startswith("ananya"):
            return "550 unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    mailbox.handle_RCPT = refuse_ananya  # type: ignore[attr-defined]
    announce(messaging, Kind.FAILED)

    notification_work.deliver(configuration=messaging)

    assert [mail["To"] for mail in mailbox.mails] == ["ravi@temple.example"]


def test_login_tls_and_folder_problems_have_their_names(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User]
) -> None:
    urls = {
        f"smtp://someone:wrong@127.0.0.1:{mailbox.port}": "mail_tls_failed",  # this server knows no login
        f"submission://127.0.0.1:{mailbox.port}": "mail_tls_failed",
        f"smtps://127.0.0.1:{mailbox.port}": "mail_tls_failed",
        "file:///proc/nowhere/mail": "mail_not_written",
    }
    for number, (url, code) in enumerate(urls.items()):
        with with_settings(messaging, email_url=Secret(url), notify_urls=(), healthcheck_url=Secret("")):
            announce(settings.current(), Kind.FAILED, event=f"try {number}")
            notification_work.deliver(configuration=settings.current())

        assert Notification.objects.filter(event=f"try {number}").exclude(problem_code="").first() is not None
        codes = set(Notification.objects.filter(event=f"try {number}").values_list("problem_code", flat=True)) - {""}
        assert codes == {code}, url
        Notification.objects.all().delete()


@time_machine.travel(NOW, tick=False)
def test_a_service_that_refuses_and_an_address_that_is_none_have_their_names(
    messaging: Configuration, receiver: Calls
) -> None:
    receiver.status = 500
    with with_settings(messaging, notify_urls=(*messaging.notify_urls, Secret("nonsense://here"))):
        announce(settings.current(), Kind.FAILED)
        notification_work.deliver(configuration=settings.current())

    codes = set(Notification.objects.values_list("problem_code", flat=True))
    assert codes == {"notify_failed", "notify_url_invalid"}


@time_machine.travel(NOW, tick=False)
def test_without_the_library_a_service_says_so(messaging: Configuration) -> None:
    announce(messaging, Kind.FAILED)

    with patch("importlib.import_module", side_effect=ImportError):
        notification_work.deliver(configuration=messaging)

    assert list(Notification.objects.values_list("problem_code", flat=True)) == ["apprise_missing"]


@time_machine.travel(NOW, tick=False)
def test_who_loses_the_role_or_switches_off_is_sent_nothing_more(
    messaging: Configuration, mailbox: MailBox, readers: tuple[User, User]
) -> None:
    announce(messaging, Kind.FAILED)
    ananya, ravi = readers
    ravi.role_id = User.STAFF
    ravi.save()
    NotificationChoice.objects.filter(channel=channels.key_of_person(ananya)).update(wish="nothing")

    notification_work.deliver(configuration=messaging)

    assert mailbox.raw == []
    rows = Notification.objects.filter(channel__startswith="mail:")
    assert set(rows.values_list("state", "problem_code")) == {("given_up", "channel_gone")}


def test_a_message_is_given_up_after_three_days_and_stays_in_the_list(
    messaging: Configuration, readers: tuple[User, User]
) -> None:
    announce(messaging, Kind.FAILED)
    with with_settings(messaging, email_url=Secret("smtp://127.0.0.1:9"), notify_urls=()):
        for hour in range(80):
            with time_machine.travel(NOW + timedelta(hours=hour), tick=False):
                notification_work.deliver(configuration=settings.current())

    rows = Notification.objects.filter(channel__startswith="mail:")
    assert set(rows.values_list("state", "problem_code")) == {("given_up", "mail_server_unreachable")}


def test_a_mail_folder_gets_one_file_for_each_message(messaging: Configuration, tmp_path: Any) -> None:
    folder = tmp_path / "mail"
    message = worded(Content(title=messages.TEST()), kind="test", language="en-in", site_url="")
    for number in range(20):
        mail.send(
            server=mail_url.parse(f"file://{folder}"), sender="", address="a@temple.example",
            message=message, message_id=f"<{number}@localhost>",
        )  # fmt: skip

    assert len(list(folder.iterdir())) == 20


def test_old_messages_are_removed_and_waiting_ones_never(messaging: Configuration, readers: tuple[User, User]) -> None:
    announce(messaging, Kind.FAILED, event="old", now=NOW - timedelta(days=200))
    announce(messaging, Kind.FAILED, event="sent")
    Notification.objects.filter(event="sent").update(state="sent")
    outbox.expire(now=datetime(2027, 12, 1, tzinfo=UTC))

    assert set(Notification.objects.values_list("event", flat=True)) == {"old"}


def closed(channel: str, state: str, *, code: str = "", days: int) -> None:
    """A message to a channel that was created so many days after NOW, and is sent or given up."""
    at = NOW + timedelta(days=days)
    Notification.objects.create(
        event=f"e{days}", channel=channel, kind="failed", language="en-in", content={}, state=state, created_at=at,
        sent_at=at if state == "sent" else None, problem_code=code, message_id=f"<{days}@temple.example>",
    )  # fmt: skip


def test_a_channel_that_gave_messages_up_vouches_for_nothing_until_it_accepts_one(
    messaging: Configuration, readers: tuple[User, User]
) -> None:
    mail, other = (channels.key_of_person(person) for person in readers)

    def accepted_at() -> datetime | None:
        return notifications.delivery(configuration=messaging).accepted_at

    closed(mail, "sent", days=0)
    closed(mail, "given_up", code="channel_gone", days=1)
    assert accepted_at() == NOW
    closed(mail, "given_up", code="mail_login_refused", days=2)
    assert accepted_at() is None
    closed(other, "sent", days=3)
    assert accepted_at() == NOW + timedelta(days=3), "one that delivers is enough"
    closed(other, "given_up", code="mail_refused", days=4)
    assert accepted_at() is None
    closed(mail, "sent", days=5)
    assert accepted_at() == NOW + timedelta(days=5)
