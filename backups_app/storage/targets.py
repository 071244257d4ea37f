"""Makes targets from the settings, and says of each whether a copy there is elsewhere."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path

from backups_app import url_parts
from backups_app.errors import TargetNotFound
from backups_app.storage import disks
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.object_store import ObjectStoreTarget
from backups_app.storage.target import StorageTarget
from backups_app.target_settings import ALLOW_HTTP, TargetSettings


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
    return ObjectStoreTarget(
        name=settings.name,
        kind=settings.kind,
        bucket=settings.place,
        prefix=settings.prefix,
        options=options,
        allow_http=settings.allows_http or _host_is_here(settings),
        is_refused=is_plain_http(settings),
    )


def directory(settings: TargetSettings) -> DirectoryTarget:
    """Return a target in a directory, which may have to be prepared."""
    return DirectoryTarget(name=settings.name, root=Path(settings.place))


def is_elsewhere(settings: TargetSettings, *, here: Iterable[Path]) -> bool:
    """Return whether a copy there survives this computer: no endpoint on this computer, no directory in its memory, and
    none on the disk of one of `here` (the backup folder, databases known to be on this computer)."""
    if settings.is_directory:
        device = _device(Path(settings.place))
        return device is not None and not disks.is_in_memory(device) and not _shares_a_disk(device, here)
    return not _host_is_here(settings)


def is_plain_http(settings: TargetSettings) -> bool:
    """Whether copies would cross the network without encryption, and nobody allowed that: it is refused."""
    is_plain = settings.endpoint.lower().startswith("http://")
    return is_plain and not settings.allows_http and not _host_is_here(settings)


def _host_is_here(settings: TargetSettings) -> bool:
    return is_this_computer(url_parts.host(settings.endpoint))


def _shares_a_disk(device: int, here: Iterable[Path]) -> bool:
    mine = disks.disks_under(device)
    others = {other for path in here if (other := _device(path)) is not None}
    return device in others or any(mine & disks.disks_under(other) for other in others)


def _device(path: Path) -> int | None:
    """Return the file system of a path, of its nearest directory where it is not there; None where nobody can know."""
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
