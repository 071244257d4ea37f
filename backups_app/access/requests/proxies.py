"""Which peers may say how a request reached them: the proxies that end TLS, `TRUSTED_PROXIES`, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from marshmallow import ValidationError

FORWARDED_PROTO = "HTTP_X_FORWARDED_PROTO"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
HOST_PORT = re.compile(r":[0-9]+\Z")


def require_networks(texts: Iterable[str]) -> None:
    """Raise ValidationError that names the first text which is no address and no network."""
    for text in texts:
        try:
            _network(text)
        except ValueError:
            raise ValidationError(f"{text!r} is no address and no network such as 192.0.2.0/24.") from None


def accept_only_trusted(request: HttpRequest) -> None:
    """Take `X-Forwarded-Proto` out of a request that did not come from a trusted proxy: anybody can write it."""
    if not _is_trusted(request.META.get("REMOTE_ADDR", "")):
        request.META.pop(FORWARDED_PROTO, None)


def stays_on_this_machine(request: HttpRequest) -> bool:
    """Peer and name both: a proxy on this machine has this machine's address, but asks for another name."""
    host = HOST_PORT.sub("", request.get_host())
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and host in LOOPBACK


def _is_trusted(peer: str) -> bool:
    if not peer:  # a Unix socket: only processes of this machine reach it
        return True
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in _network(text) for text in settings.TRUSTED_PROXIES)


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text.strip(), strict=False)
