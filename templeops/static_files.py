"""Static files, served from where they lie (whitenoise)."""

from __future__ import annotations

from django.contrib.staticfiles.storage import StaticFilesStorage


class StaticFiles(StaticFilesStorage):
    """Puts the address of a file together once: a page has seventy, and they never change."""

    def __init__(self) -> None:
        super().__init__()
        self._addresses: dict[str | None, str] = {}

    def url(self, name: str | None) -> str:
        """Return the address of a file."""
        if name not in self._addresses:
            self._addresses[name] = super().url(name)
        return self._addresses[name]
