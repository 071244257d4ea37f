"""What a server process does once, when it starts."""

from __future__ import annotations


def make_files_private() -> None:
    """Make the files that hold secrets readable by their owner only, as far as this user may; the checks name the rest.

    Called when Django is set up: the names of the files come from its settings.
    """
    from backups_app.access import private_files

    private_files.tighten()
