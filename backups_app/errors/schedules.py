"""Schedules: what cannot be saved, and a planned run that cannot start."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError
from backups_app.errors.request import InvalidInput


class ScheduleNotFound(TempleOpsError):
    code, status, exit_code = "schedule_not_found", 404, 10
    sentence = "There is no schedule of this name."


class ScheduleNameTaken(TempleOpsError):
    """Facts: `name`."""

    code, status, exit_code = "schedule_name_taken", 409, 2
    sentence = (
        'There is a schedule "{name}" already. Capital letters do not make a different name. Nothing was changed.'
    )


class ScheduleNameInvalid(InvalidInput):
    sentence = "A schedule has a name of 1 to 64 characters, without a slash. Nothing was changed."


class CronFieldsInvalid(InvalidInput):
    sentence = (
        "A cron expression has five fields: minute, hour, day of the month, month, day of the week. "
        "Example: 0 2 * * 0 (each Sunday at 02:00)."
    )


class CronInvalid(InvalidInput):
    """Facts: `cron`."""

    sentence = '"{cron}" is not a cron expression. Example: 0 2 * * 0 (each Sunday at 02:00).'


class CronNeverDue(InvalidInput):
    """Facts: `cron`."""

    code = "cron_never_due"
    sentence = 'The cron expression "{cron}" is never due: none of its months has such a day. Nothing was changed.'


class TimeZoneUnknown(InvalidInput):
    """Facts: `name`."""

    sentence = 'There is no time zone "{name}". A name looks like Asia/Kolkata.'


class ScheduleTimeInvalid(InvalidInput):
    sentence = "A time of day looks like 02:00; a day of the month is a number from 1 to 31."


class LateDeletionRefused(InvalidInput):
    code = "late_deletion_refused"
    sentence = (
        "A missed backup that deletes bookings is always skipped: run late, it would delete the bookings of a new "
        "season. Nothing was changed."
    )
    hint = "Choose to skip a missed run"


class ClocksDiffer(TempleOpsError):
    code, status, exit_code = "clocks_differ", 409, 1
    sentence = (
        "The clocks of this computer, MongoDB and Atlas differ by more than 10 minutes, or could not be compared. "
        "A run that deletes bookings was not started. Nothing was deleted."
    )


class ScheduleTooLate(TempleOpsError):
    code, status, exit_code = "schedule_too_late", 409, 1
    sentence = (
        "More than 15 minutes have passed since the planned time. A run that deletes bookings was not started. "
        "Nothing was deleted."
    )
