"""What a server process does once, when it starts."""

from __future__ import annotations

from django.urls import get_resolver


def make_files_private() -> None:
    """Make the files that hold secrets readable by their owner only, as far as this user may; the checks name the rest.

    Called when Django is set up: the names of the files come from its settings.
    """
    from backups_app.access.secrecy import private_files

    private_files.tighten()


def load_addresses() -> None:
    """Load every page and endpoint, so that the first request does not wait for it."""
    get_resolver().url_patterns  # noqa: B018 - read for what it loads
