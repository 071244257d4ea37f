"""In which mode we are: a question of the configuration alone, for those who need none of the engines."""

from __future__ import annotations

from backups_app.configuration import Configuration
from backups_app.errors import ModeNotLocal


def require_local(configuration: Configuration) -> None:
    """Raise `ModeNotLocal` in cloud mode."""
    if not configuration.is_local:
        raise ModeNotLocal()
