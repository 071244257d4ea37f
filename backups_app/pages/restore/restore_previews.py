"""Previews of restores in the making. A preview writes nothing, and what is confirmed is its hash, not this memory."""

from __future__ import annotations

from typing import TypeAlias

from backups_app.configuration import Configuration
from backups_app.pages.shared import background_work
from backups_app.restore.choices import Choices
from backups_app.restore.preview import RestorePreview
from backups_app.use_cases import restores

Making: TypeAlias = background_work.BackgroundTask[RestorePreview]

_previews: background_work.BackgroundWork[RestorePreview] = background_work.BackgroundWork("restore-preview")


def of(*, configuration: Configuration, choices: Choices, wait_seconds: float) -> Making:
    """Return the preview of these choices, begun now if nobody has. Wait for its end for at most `wait_seconds`."""
    return _previews.of(
        (configuration, choices),
        lambda making: restores.preview_restore(configuration=configuration, choices=choices, progress=making),
        wait_seconds=wait_seconds,
    )


def forget(*, configuration: Configuration, choices: Choices) -> None:
    """The next one who asks shall see the present state."""
    _previews.forget((configuration, choices))


def forget_all() -> None:
    """Something was written: no preview is true any more."""
    _previews.forget_all()
