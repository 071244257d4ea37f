"""Why a message was not delivered, and what cannot be asked of a channel."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class MailServerUnreachable(TempleOpsError):
    code, status = "mail_server_unreachable", 503
    sentence = "The mail server does not answer."
    hint = "Check host and port in EMAIL_URL, and whether a firewall lets this computer through"


class MailLoginRefused(TempleOpsError):
    code, status = "mail_login_refused", 503
    sentence = "The mail server refuses the user name or the password."
    hint = "Check user and password in EMAIL_URL; many providers want a password made for programs"


class MailTlsFailed(TempleOpsError):
    code, status = "mail_tls_failed", 503
    sentence = "No encrypted connection to the mail server could be made."
    hint = "submission:// is for STARTTLS (port 587), smtps:// for TLS from the start (port 465)"


class MailRefused(TempleOpsError):
    """Facts: `reply`, the number that the server answered with."""

    code, status = "mail_refused", 503
    sentence = "The mail server refused the message (answer {reply})."
    hint = "Check DEFAULT_FROM_EMAIL and the address of the person"


class MailNotWritten(TempleOpsError):
    code, status = "mail_not_written", 503
    sentence = "The message could not be written into the folder that EMAIL_URL names."
    hint = "Check that the folder exists and that this user may write there"


class MailAddressMissing(TempleOpsError):
    code, status = "mail_address_missing", 422
    sentence = "This person has no e-mail address that can be used."
    hint = "Set the address on the page Notifications"


class MailAddressInvalid(TempleOpsError):
    code, status, exit_code = "mail_address_invalid", 422, 2
    sentence = "This is not one plain e-mail address. Nothing was changed."


class MailIsOff(TempleOpsError):
    code, status = "mail_is_off", 422
    sentence = "EMAIL_URL is not set, so no e-mail can be sent."
    hint = "Set EMAIL_URL in .env"


class AppriseMissing(TempleOpsError):
    code, status = "apprise_missing", 503
    sentence = "NOTIFY_URLS is set, but the library Apprise is not installed."
    hint = "Install it: pip install -r requirements-notify.txt"


class NotifyUrlInvalid(TempleOpsError):
    code, status = "notify_url_invalid", 503
    sentence = "Apprise does not understand this address of NOTIFY_URLS."
    hint = "Compare the address with Apprise's page for that service"


class NotifyFailed(TempleOpsError):
    code, status = "notify_failed", 503
    sentence = "The service did not accept the message."
    hint = "Check the address in NOTIFY_URLS, and whether this computer reaches the service"


class HealthcheckFailed(TempleOpsError):
    """Facts: `answer`: the HTTP status, or what came instead of one."""

    code, status = "healthcheck_failed", 503
    sentence = "HEALTHCHECK_URL did not accept the call ({answer})."
    hint = "Check HEALTHCHECK_URL, and whether this computer reaches it"


class SenderInterrupted(TempleOpsError):
    code, status = "sender_interrupted", 503
    sentence = "The worker was stopped while it sent this. It is sent again, so it may arrive twice."


class ChannelGone(TempleOpsError):
    code, status = "channel_gone", 503
    sentence = "This channel is not set up any more, or its person may not be sent messages. Nothing was sent."


class ChannelNotFound(TempleOpsError):
    code, status, exit_code = "channel_not_found", 404, 10
    sentence = "There is no such channel."
    hint = "manage.py backup_notify list names them"


class NotificationNotFound(TempleOpsError):
    code, status, exit_code = "notification_not_found", 404, 10
    sentence = "There is no such message. Messages are removed after 90 days."


class NoChannel(TempleOpsError):
    code, status = "no_channel", 422
    sentence = "No channel for messages is set up."
    hint = "Set EMAIL_URL and an address for a Super Admin, or NOTIFY_URLS, or HEALTHCHECK_URL"
