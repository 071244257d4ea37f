"""Makes targets from the settings, and says of each whether a copy there is elsewhere."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from backups_app.errors import TargetNotFound
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.object_store import ObjectStoreTarget
from backups_app.storage.target import StorageTarget
from backups_app.target_settings import ALLOW_HTTP, TargetSettings

ENDPOINTS = ("endpoint", "endpoint_url", "aws_endpoint", "azure_storage_endpoint", "base_url")


def named(targets: Iterable[TargetSettings], name: str) -> TargetSettings:
    """Return the settings of the target of this name. Raise `TargetNotFound`."""
    found = next((one for one in targets if one.name == name), None)
    if found is None:
        raise TargetNotFound(target=name)
    return found


def open_target(settings: TargetSettings) -> StorageTarget:
    """Return a target. Nothing is asked yet; a wrong option is named at the first use."""
    if settings.is_directory:
        return directory(settings)
    options = {name: value for name, value in settings.options if name != ALLOW_HTTP}
    allowed = settings.option(ALLOW_HTTP).lower() in ("1", "true", "yes", "on")
    return ObjectStoreTarget(
        name=settings.name,
        kind=settings.kind,
        bucket=settings.place,
        prefix=settings.prefix,
        options=options,
        allow_http=allowed or is_this_computer(_host(settings)),
    )


def directory(settings: TargetSettings) -> DirectoryTarget:
    """Return a target in a directory, which may have to be prepared."""
    return DirectoryTarget(name=settings.name, root=Path(settings.place))


def is_elsewhere(settings: TargetSettings, *, here: Iterable[Path]) -> bool:
    """Return whether a copy there survives this computer: no endpoint on this computer, and no directory on the file
    system of one of `here` (the backup folder, databases known to be on this computer)."""
    if settings.is_directory:
        device = _device(Path(settings.place))
        return device is not None and device not in {_device(path) for path in here}
    return not is_this_computer(_host(settings))


def _host(settings: TargetSettings) -> str:
    """Return the host of the endpoint; empty where it is the provider's own."""
    given = next((value for name in ENDPOINTS if (value := settings.option(name))), "")
    given = given or (os.environ.get("AWS_ENDPOINT_URL", "") if settings.kind == "s3" else "")
    with suppress(ValueError):
        return urlsplit(given).hostname or ""
    return ""


def _device(path: Path) -> int | None:
    """Return the file system of a path, of its nearest directory where it is not there; None where nobody can tell."""
    for one in (path, *path.parents):
        with suppress(OSError):
            return one.stat().st_dev
    return None


@lru_cache(maxsize=64)
def is_this_computer(host: str) -> bool:
    """Return whether a host is this computer: loopback, its name, or an address that it can listen on."""
    if not host:
        return False
    if host == "localhost" or host.endswith(".localhost") or host == socket.gethostname():
        return True
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return address.is_loopback or address.is_unspecified or _is_ours(address)
    with suppress(OSError, UnicodeError):
        return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback
    return False


def _is_ours(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
