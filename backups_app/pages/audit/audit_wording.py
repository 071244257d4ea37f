"""The audit trail in plain words: what was done, and how it ended. A word that is not known here stands as recorded."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext_lazy

register = template.Library()

ACTIONS = {
    "login": gettext_lazy("Signed in"),
    "logout": gettext_lazy("Signed out"),
    "step_up": gettext_lazy("Confirmed the password"),
    "session.revoke": gettext_lazy("Ended a session"),
    "session.revoke_all": gettext_lazy("Ended all sessions"),
    "access.denied": gettext_lazy("Access denied"),
    "person.add": gettext_lazy("Added a person"),
    "person.change": gettext_lazy("Changed a person"),
    "person.delete": gettext_lazy("Removed a person"),
    "notification.test": gettext_lazy("Sent a test message"),
    "notification.change": gettext_lazy("Changed who is sent messages"),
    "notification.retry": gettext_lazy("Sent the waiting messages again"),
    "session.suspect": gettext_lazy("Session ended as suspicious"),
    "backup.requested": gettext_lazy("Started a backup"),
    "backup.finished": gettext_lazy("Backup ended"),
    "backup.cancel": gettext_lazy("Cancelled a run"),
    "backup.resume": gettext_lazy("Resumed a deletion"),
    "backup.keep_after_all": gettext_lazy("Kept the rest after all"),
    "backup.verified": gettext_lazy("Verified a backup again"),
    "retention.changed": gettext_lazy("Changed which backups are kept"),
    "backup.removed": gettext_lazy("Removed a backup"),
    "backup.brought_back": gettext_lazy("Brought a backup back"),
    "backup.pinned": gettext_lazy("Pinned a backup"),
    "backup.unpinned": gettext_lazy("Unpinned a backup"),
    "backup.released": gettext_lazy("Released what a backup holds"),
    "backup.accepted": gettext_lazy("Accepted a loss"),
    "copy.requested": gettext_lazy("Started copying backups"),
    "copy.removed": gettext_lazy("Removed a copy elsewhere"),
    "copy.forgotten": gettext_lazy("Forgot copies at a former place"),
    "copy.taken_in": gettext_lazy("Took in an unknown copy"),
    "target.cleared": gettext_lazy("Removed objects of no copy"),
    "target.prepared": gettext_lazy("Prepared a target for copies"),
    "purge.remote": gettext_lazy("Deletion on Atlas"),
    "purge.local": gettext_lazy("Deletion on this computer"),
    "schedule.add": gettext_lazy("Added a schedule"),
    "schedule.change": gettext_lazy("Changed a schedule"),
    "schedule.remove": gettext_lazy("Removed a schedule"),
    "schedule.run_now": gettext_lazy("Ran a schedule by hand"),
    "schedule.slot": gettext_lazy("Planned run"),
    "sync": gettext_lazy("Synced with Atlas"),
    "conflict.put_back": gettext_lazy("Restored a replaced version"),
    "collection.view": gettext_lazy("Viewed a collection"),
    "find": gettext_lazy("Searched all backups"),
    "restore.preview": gettext_lazy("Previewed a restore"),
    "restore.requested": gettext_lazy("Started a restore"),
    "restore.finished": gettext_lazy("Restore ended"),
    "test_copy.requested": gettext_lazy("Started a test copy"),
    "test_copy.finished": gettext_lazy("Test copy ended"),
    "test_copy.remove": gettext_lazy("Removed a test copy"),
    "rehearsal.requested": gettext_lazy("Started a restore test"),
    "rehearsal.finished": gettext_lazy("Restore test ended"),
    "backup.fetch": gettext_lazy("Fetched a backup from a target"),
    "copy_key.test": gettext_lazy("Tested a private key of copies"),
    "site.fetch": gettext_lazy("Brought in schedules and people"),
}
RESULTS = {
    "success": gettext_lazy("Success"),
    "accepted": gettext_lazy("Accepted"),
    "started": gettext_lazy("Started"),
    "done": gettext_lazy("Done"),
    "good": gettext_lazy("Good"),
    "damaged": gettext_lazy("Damaged"),
    "partial": gettext_lazy("Partial"),
    "failed": gettext_lazy("Failed"),
    "cancelled": gettext_lazy("Cancelled"),
    "refused": gettext_lazy("Refused"),
    "missed": gettext_lazy("Missed"),
    "skipped": gettext_lazy("Skipped"),
    "covered": gettext_lazy("Covered by another"),
    "dropped": gettext_lazy("Dropped: claimed while the clock was ahead"),
    "fetched": gettext_lazy("Fetched and verified"),
    "opened": gettext_lazy("The key opened a copy"),
    "trashed": gettext_lazy("In the trash"),
    "unlinked": gettext_lazy("Deleted for good: the disk needs the room"),
    "here": gettext_lazy("Here again"),
    "on": gettext_lazy("On"),
    "off": gettext_lazy("Off"),
    "database_unreachable": gettext_lazy("Connection lost"),
}
ORIGINS = {
    "web": gettext_lazy("web"),
    "api": gettext_lazy("API"),
    "command": gettext_lazy("command"),
    "schedule": gettext_lazy("schedule"),
}
GOOD = frozenset({"success", "accepted", "done", "good", "fetched", "opened", "here", "on"})


@register.filter
def action_words(action: str) -> str:
    """Return `Started a backup` for `backup.requested`."""
    return str(ACTIONS[action]) if action in ACTIONS else action


@register.filter
def result_words(result: str) -> str:
    """Return `Connection lost` for `database_unreachable`."""
    return str(RESULTS[result]) if result in RESULTS else result


@register.filter
def origin_words(origin: str) -> str:
    """Return `API` for `api`."""
    return str(ORIGINS[origin]) if origin in ORIGINS else origin


@register.filter
def result_tone(result: str) -> str:
    """Return the tone of an audit row's result; the word stands in it anyway."""
    if result in GOOD:
        return "ok"
    return "" if result == "started" else "warn"
