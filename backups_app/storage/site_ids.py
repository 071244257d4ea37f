"""The id of this site, which every copy of it carries. It is made with the first copy, or taken over with the first
backup that is fetched onto a machine that has none.

It is the id of the backup folder that makes the first copy, so that a site whose Django database was lost gets the same
one again; the row keeps it when the folder is replaced, and for all hosts of the site.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime

from backups_app.models import BackupCopy, SiteIdentity

_SITE = re.compile(r"[0-9a-f]{32}", re.ASCII)
SHORT = 8
"""So many digits name a site to a person."""


def is_id(given: object) -> bool:
    """Return whether a value is the id of a site."""
    return isinstance(given, str) and _SITE.fullmatch(given) is not None


def kept() -> str:
    """Return the id that was made or taken over here; empty where there is none yet."""
    row = SiteIdentity.objects.filter(pk=SiteIdentity.ONLY).first()
    return row.site if row is not None else ""


def own(*, store_id: str | None) -> str:
    """Return the id of this site; empty on a machine that has none and knows no copy of its own. Copies from before
    there were ids get the one that the next copy makes."""
    if (known := kept()) or not BackupCopy.objects.filter(state=BackupCopy.State.COMPLETE).exists():
        return known
    return _from_store(store_id) if store_id else ""


def made(*, store_id: str | None, now: datetime) -> str:
    """Return the id of this site, made where there is none."""
    fresh = _from_store(store_id) if store_id else secrets.token_hex(16)
    row, _ = SiteIdentity.objects.get_or_create(pk=SiteIdentity.ONLY, defaults={"site": fresh, "since": now})
    return row.site


def take_over(site: str, *, now: datetime) -> None:
    """Go on as the site whose backup was fetched, where this machine has no id yet."""
    if is_id(site):
        SiteIdentity.objects.get_or_create(pk=SiteIdentity.ONLY, defaults={"site": site, "since": now})


def _from_store(store_id: str) -> str:
    return store_id if is_id(store_id) else hashlib.sha256(store_id.encode("utf-8", "surrogateescape")).hexdigest()[:32]
