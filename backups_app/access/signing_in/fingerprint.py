"""The device fingerprint: an HMAC of browser family, platform and, when the client sent one at login, its device id.

A tripwire, not a lock: anyone who copies a token with its headers passes. Versions are left out because browsers
update weekly, the address because mobile networks change it, and nothing on the person's machine is probed.
"""

from __future__ import annotations

import re

from django.utils.crypto import constant_time_compare, salted_hmac

from backups_app.access.requests.visit import Visit

# The first that matches wins: every Chromium browser also says Chrome, and nearly everybody says Safari.
FAMILIES = (
    ("Edge", re.compile(r"\bEdg(e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(Chrome|CriOS|Chromium|HeadlessChrome)/")),
    ("Safari", re.compile(r"\bSafari/")),
)
PLATFORMS = (
    ("Android", re.compile(r"\bAndroid\b")),
    ("iOS", re.compile(r"\b(iPhone|iPad|iPod)\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("macOS", re.compile(r"\b(Macintosh|Mac OS X|Darwin)\b")),
    ("Linux", re.compile(r"\b(Linux|X11)\b")),
)
FIRST_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,31}", re.ASCII)


def family(user_agent: str) -> str:
    """Return the browser's family without its version: `Firefox`, `curl`, or `none` without a user agent."""
    for name, pattern in FAMILIES:
        if pattern.search(user_agent):
            return name
    product = FIRST_PRODUCT.match(user_agent)
    return product.group() if product else "none"


def platform(user_agent: str) -> str:
    """Return the operating system's family: `Windows`, `Android`, …, or `unknown`."""
    return next((name for name, pattern in PLATFORMS if pattern.search(user_agent)), "unknown")


def device(visit: Visit) -> str:
    """Return what a person recognises: `Firefox on Linux`."""
    return f"{family(visit.user_agent)} on {platform(visit.user_agent)}"


def fingerprint_of(visit: Visit, *, with_device_id: bool) -> str:
    """Return the fingerprint, 64 hex digits. `with_device_id` says whether the login had a device id."""
    device_id = (visit.device_id or "") if with_device_id else ""
    value = "\0".join((family(visit.user_agent), platform(visit.user_agent), device_id))
    return salted_hmac("templeops.fingerprint", value, algorithm="sha256").hexdigest()


def same(visit: Visit, *, fingerprint: str, with_device_id: bool) -> bool:
    """Return whether this visit is from the device that logged in."""
    return constant_time_compare(fingerprint_of(visit, with_device_id=with_device_id), fingerprint)
