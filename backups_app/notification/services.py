"""Hands one message to a service of `NOTIFY_URLS` through Apprise, which is installed only where it is wanted."""

from __future__ import annotations

import importlib
from typing import Any

from backups_app.errors import AppriseMissing, NotifyFailed, NotifyUrlInvalid
from backups_app.notification.wording import Worded


def send(*, url: str, message: Worded) -> None:
    """Hand over one message. Raise `AppriseMissing`, `NotifyUrlInvalid`, `NotifyFailed`."""
    service = _service(url)
    # Anything may go wrong inside a hundred plug-ins; Apprise says with False what it knows of.
    try:
        accepted = service.notify(title=message.title, body=message.text, body_format="text")
    except Exception as error:
        raise NotifyFailed() from error
    if not accepted:
        raise NotifyFailed()


def require(url: str) -> None:
    """Look whether a message could be handed over, without sending one. Raise as `send`."""
    _service(url)


def _service(url: str) -> Any:
    try:
        apprise = importlib.import_module("apprise")
    except ImportError as error:
        raise AppriseMissing() from error
    service = apprise.Apprise()
    if not service.add(url):
        raise NotifyUrlInvalid()
    return service
