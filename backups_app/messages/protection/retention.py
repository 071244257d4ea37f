"""Why a backup is kept or removed, and why a request about retention is refused."""

from __future__ import annotations

from backups_app.messages.message import Message, Sentence

POLICY_KEEPS_NOTHING = Sentence(
    "policy_keeps_nothing", "These rules would keep nothing. Give at least one of them a number above 0."
)
RULE_OUT_OF_RANGE = Sentence("rule_out_of_range", "{rule} must be a whole number from 0 to {most}.")
NOTE_TOO_LONG = Sentence("note_too_long", "A note has at most {most} characters.")
BASE_IS_GONE = Sentence("base_is_gone", "backup {backup_id}, which it is restored together with, is gone for good")
BROUGHT_BACK = Sentence("brought_back_note", "Brought back from the trash")
NAME_IS_TAKEN = Sentence("backup_name_is_taken", "another folder has the name {name}")

REASONS = {
    "last": Sentence("kept_last", "one of the last"),
    "recent": Sentence("kept_recent", "less than a day old"),
    "daily": Sentence("kept_daily", "the newest of its day"),
    "weekly": Sentence("kept_weekly", "the newest of its week"),
    "monthly": Sentence("kept_monthly", "the newest of its month"),
    "yearly": Sentence("kept_yearly", "the newest of its year"),
    "backup_newest": Sentence("kept_newest", "the newest good backup"),
    "backup_floor": Sentence("kept_floor", "one of the newest, which always stay"),
    "backup_pinned": Sentence("kept_pinned", "pinned"),
    "backup_held": Sentence("kept_held", "holds documents that were deleted or replaced"),
    "backup_needed": Sentence("kept_needed", "another backup is restored together with it"),
    "backup_in_use": Sentence("kept_in_use", "being read now"),
    "purge_unfinished": Sentence("kept_purge_unfinished", "its deletion is not finished"),
    "copy_missing": Sentence("kept_copy_missing", "no copy elsewhere counts"),
    "shrunk": Sentence("kept_shrunk", "a collection lost more than half, then or later"),
    "holder_damaged": Sentence("kept_holder_damaged", "older than a damaged or lost backup of deleted documents"),
    "dated_in_future": Sentence("kept_dated_in_future", "dated in the future"),
    "unverified": Sentence("kept_unverified", "not verified"),
    "foreign": Sentence("kept_foreign", "not made here"),
    "undo": Sentence("kept_undo", "undoes a restore of the last 30 days"),
    "policy": Sentence("removed_policy", "no rule keeps it"),
    "undo_over": Sentence("removed_undo_over", "its restore is more than 30 days ago"),
    "removed_before_copy": Sentence("removed_before_copy", "removed before it was copied elsewhere"),
    "copy_on_this_computer": Sentence(
        "copy_on_this_computer", "its copy does not count: that target is on this computer too"
    ),
    "copy_target_silent": Sentence("copy_target_silent", "its copy does not count now: that target does not answer"),
    "person": Sentence("removed_person", "removed by a person"),
}
"""By the code of a reason (`retention/decision.py`, `retention/guards.py`)."""


def reason(code: str) -> Message | str:
    """Return what a reason's code says; the code itself where it is not known (any more)."""
    return REASONS[code]() if code in REASONS else code
