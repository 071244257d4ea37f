"""The audit trail in plain words: what was done, and how it ended. A word that is not known here stands as recorded."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

register = template.Library()

ACTIONS = {
    "login": gettext_noop("Signed in"),
    "logout": gettext_noop("Signed out"),
    "step_up": gettext_noop("Gave the password again"),
    "session.revoke": gettext_noop("Ended a session"),
    "session.revoke_all": gettext_noop("Ended all sessions"),
    "session.suspect": gettext_noop("Session ended as suspicious"),
    "backup.requested": gettext_noop("Started a backup"),
    "backup.finished": gettext_noop("Backup ended"),
    "backup.cancel": gettext_noop("Stopped a run"),
    "backup.resume": gettext_noop("Resumed a deletion"),
    "backup.keep_after_all": gettext_noop("Kept the rest after all"),
    "backup.verified": gettext_noop("Verified a backup again"),
    "purge.remote": gettext_noop("Deletion on Atlas"),
    "purge.local": gettext_noop("Deletion on this computer"),
    "sync": gettext_noop("Synced with Atlas"),
    "conflict.put_back": gettext_noop("Put a kept version back"),
    "collection.view": gettext_noop("Looked into a collection"),
    "restore.preview": gettext_noop("Looked what a restore would do"),
    "restore.requested": gettext_noop("Started a restore"),
    "restore.finished": gettext_noop("Restore ended"),
    "test_copy.requested": gettext_noop("Started a test copy"),
    "test_copy.finished": gettext_noop("Test copy ended"),
    "test_copy.remove": gettext_noop("Removed a test copy"),
    "rehearsal.requested": gettext_noop("Started a test of a restore"),
    "rehearsal.finished": gettext_noop("Test of a restore ended"),
}
RESULTS = {
    "success": gettext_noop("Success"),
    "accepted": gettext_noop("Accepted"),
    "started": gettext_noop("Started"),
    "done": gettext_noop("Done"),
    "good": gettext_noop("Good"),
    "partial": gettext_noop("Partial"),
    "failed": gettext_noop("Failed"),
    "refused": gettext_noop("Refused"),
    "database_unreachable": gettext_noop("Connection lost"),
}
GOOD = frozenset({"success", "accepted", "done", "good"})


@register.filter
def action_words(action: str) -> str:
    """Return `Started a backup` for `backup.requested`."""
    return _(ACTIONS[action]) if action in ACTIONS else action


@register.filter
def result_words(result: str) -> str:
    """Return `Connection lost` for `database_unreachable`."""
    return _(RESULTS[result]) if result in RESULTS else result


@register.filter
def result_tone(result: str) -> str:
    """Return the tone of an audit row's result; the word stands in it anyway."""
    if result in GOOD:
        return "ok"
    return "" if result == "started" else "warn"
