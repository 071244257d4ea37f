"""What starts a server or a worker asks first: does the Django database know every migration of this version?"""

from __future__ import annotations

from django.core.management.base import CommandError

from backups_app.access import records


def require() -> None:
    """Raise CommandError where a migration of this version was not applied, Django's `Error` where nobody answers.

    Without its columns a run would end in the middle. Asked without Django's checks: those take longer than all the
    rest of the start.
    """
    if records.unapplied_migrations():
        raise CommandError("The Django database is not up to date. Run: manage.py migrate")
