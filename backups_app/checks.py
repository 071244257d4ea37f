"""`manage.py check`: what is wrong with the configuration before anybody presses a button."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Info, register

from backups_app import configuration


@register("templeops")
def local_url_is_set(**_: Any) -> list[CheckMessage]:
    """The local URL is what everything stands on."""
    if configuration.current().local_url:
        return []
    return [Error("MONGODB_LOCAL_URL is not configured.", hint="Set it in .env.", id="templeops.E001")]


@register("templeops")
def mode_is_local(**_: Any) -> list[CheckMessage]:
    """In cloud mode everything but the status is refused; that is legitimate, so it is only said."""
    if configuration.current().is_local:
        return []
    return [Info("PRIMARY_DATABASE is not local: backup features are off.", id="templeops.I001")]
