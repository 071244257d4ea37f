"""`X-Forwarded-Proto` is trusted from a trusted proxy and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory
from marshmallow import ValidationError

from backups_app.access.requests import proxies


def is_trusted(peer: str) -> bool:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
    proxies.accept_only_trusted(request)
    return request.is_secure()


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "not an address"])
def test_nobody_else_is_trusted(peer: str) -> None:
    assert not is_trusted(peer)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_is_trusted_unless_set_otherwise(peer: str, settings: Any) -> None:
    assert is_trusted(peer)
    settings.TRUSTED_PROXIES = ["192.0.2.0/24"]
    assert is_trusted(peer) is (peer == "")
    assert is_trusted("192.0.2.200")


def test_a_stranger_who_claims_https_is_refused_as_plain_http(settings: Any) -> None:
    settings.PLAIN_HTTP, settings.ALLOWED_HOSTS = False, ["temple.example"]
    headers = {"Host": "temple.example", "X-Forwarded-Proto": "https"}

    refused = Client().get("/login/", REMOTE_ADDR="192.0.2.7", headers=headers)

    assert refused.status_code == 403
    assert b"HTTPS only" in refused.content


def test_what_is_no_network_is_named() -> None:
    proxies.require_networks(["127.0.0.1", "10.0.0.0/8", "::1"])

    with pytest.raises(ValidationError, match=r"'proxy.local' is no address"):
        proxies.require_networks(["127.0.0.1", "proxy.local"])
