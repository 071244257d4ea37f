"""Family and platform count; versions and addresses do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backups_app.access.requests.visit import Visit
from backups_app.access.signing_in import fingerprint

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36":
        "Chrome on Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
    " Edg/131.0.2903.51": "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Safari/605.1.15": "Safari on macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1": "Safari on iOS",
    "Mozilla/5.0 (Linux; Android 14; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0"
    " Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36":
        "Chrome on ChromeOS",
    "curl/8.5.0": "curl on unknown",
    "python-requests/2.32.3": "python-requests on unknown",
    "": "none on unknown",
    "\u0967\u0968": "none on unknown",
}  # fmt: skip


@pytest.mark.parametrize("user_agent", AGENTS)
def test_a_device_is_named_as_people_name_it(visit: Visit, user_agent: str) -> None:
    assert fingerprint.device(replace(visit, user_agent=user_agent)) == AGENTS[user_agent]


def test_a_long_hostile_user_agent_is_read_in_no_time(visit: Visit) -> None:
    hostile = "A" * 512

    assert len(fingerprint.device(replace(visit, user_agent=hostile))) <= 64


def test_a_weekly_update_and_a_new_address_are_the_same_device(visit: Visit) -> None:
    before = fingerprint.fingerprint_of(visit, with_device_id=False)

    after = replace(visit, user_agent=visit.user_agent.replace("140.0", "141.0"), address="198.51.100.9")

    assert fingerprint.fingerprint_of(after, with_device_id=False) == before


def test_the_device_id_counts_only_when_the_login_had_one(visit: Visit) -> None:
    with_id = replace(visit, device_id="till-2")

    assert fingerprint.fingerprint_of(with_id, with_device_id=False) == fingerprint.fingerprint_of(
        visit, with_device_id=False
    )
    assert fingerprint.fingerprint_of(with_id, with_device_id=True) != fingerprint.fingerprint_of(
        visit, with_device_id=True
    )


def test_it_is_keyed(visit: Visit, settings: object) -> None:
    before = fingerprint.fingerprint_of(visit, with_device_id=False)
    settings.SECRET_KEY = "another-key-" * 6  # type: ignore[attr-defined]

    assert fingerprint.fingerprint_of(visit, with_device_id=False) != before
