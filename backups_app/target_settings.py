"""`BACKUP_TARGETS`: where copies go, and what each place needs.

BACKUP_TARGETS=offsite=s3://bucket/prefix, nas=file:///mnt/nas/temple
BACKUP_TARGET_OFFSITE_ACCESS_KEY_ID=…       options by the names of the library, in capitals
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from backups_app import url_parts

DIRECTORY = "file"
KINDS = ("s3", "az", "gs", DIRECTORY)
PREFIX = "BACKUP_TARGET_"
COMMON_ENDPOINT = "AWS_ENDPOINT_URL"
ALLOW_HTTP = "allow_http"
PLAIN = frozenset({"endpoint", "region", "default_region", "account_name", "virtual_hosted_style_request", ALLOW_HTTP})
"""Options that are no secret. Of every other one the value is never shown."""
ENDPOINTS = ("endpoint", "endpoint_url", "aws_endpoint", "azure_storage_endpoint", "base_url")

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}", re.ASCII)
_BEFORE_A_NAME = re.compile(r"[\s,]+(?=[A-Za-z0-9_-]+=)")


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """One target. `place` is its bucket, container or directory, `prefix` where in it; `options` pairs of an option's
    name in lower case and its value; `common_endpoint` what AWS_ENDPOINT_URL says."""

    name: str
    kind: str
    place: str
    prefix: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    common_endpoint: str = field(default="", repr=False)

    @property
    def is_directory(self) -> bool:
        return self.kind == DIRECTORY

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that nobody may see."""
        return tuple(value for name, value in self.options if name not in PLAIN)

    @property
    def endpoint(self) -> str:
        """The URL of the server; empty where it is the provider's own."""
        return next((value for name in ENDPOINTS if (value := self.option(name))), self.common_endpoint)

    @property
    def allows_http(self) -> bool:
        """Whether the server may be spoken to without encryption, wherever it is."""
        return self.option(ALLOW_HTTP).lower() in ("1", "true", "yes", "on")

    def option(self, name: str) -> str:
        """Return the value of an option; empty where it is not set."""
        return dict(self.options).get(name, "")


def parse(given: str, *, environment: Mapping[str, str]) -> tuple[TargetSettings, ...]:
    """Given `name=url` between commas, and the environment for the options, return the targets. Raise ValueError with
    a sentence that repeats no value."""
    named = [_named(part) for part in _BEFORE_A_NAME.split(given.strip().strip(",")) if part.strip()]
    names = [name for name, _ in named]
    if len({_variable(name) for name in names}) != len(names):
        raise ValueError("Two targets have the same name.")
    options = {name: tuple(sorted(_options(name, names, environment))) for name in names}
    found = tuple(_target(name, url, options[name], environment) for name, url in named)
    for target in found:
        _require_endpoint(target)
    return found


def strays(targets: tuple[TargetSettings, ...], *, environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like an option and belong to no target: a name with a typing error."""
    names = [target.name for target in targets]
    found = [name for name in environment if name.startswith(PREFIX) and environment[name].strip()]
    return sorted(name for name in found if not any(name.startswith(_variable(one)) for one in names))


def _named(part: str) -> tuple[str, str]:
    name, equals, url = part.strip().rstrip(",").partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise ValueError("name=url, separated by commas; a name is of small letters, digits, - and _, a letter first.")
    return name, url.strip()


def _require_endpoint(target: TargetSettings) -> None:
    """The library copies a user in an endpoint into its errors, and ends the process at a host it cannot read."""
    if target.endpoint and not url_parts.is_of_the_web(target.endpoint):
        named = [f"{_variable(target.name)}{name.upper()}" for name in ENDPOINTS if target.option(name)]
        raise ValueError(
            f"{(named or [COMMON_ENDPOINT])[0]} is an address that begins with https:// or http://, without a user or "
            "password."
        )


def _target(
    name: str, url: str, options: tuple[tuple[str, str], ...], environment: Mapping[str, str]
) -> TargetSettings:
    try:
        parts = url_parts.split(url)
    except ValueError:
        raise ValueError(f"The target {name}: its address cannot be read.") from None
    if parts.scheme not in KINDS:
        raise ValueError(
            f"The target {name}: s3://bucket/prefix, az://container/prefix, gs://bucket/prefix or file:///path."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"The target {name}: keys do not stand in its address, but in {_variable(name)}…")
    if parts.scheme == DIRECTORY:
        path = unquote(parts.path)
        if parts.netloc or path in ("", "/"):
            raise ValueError(f"The target {name}: a directory is named by its whole path, file:///mnt/nas/temple.")
        return TargetSettings(name=name, kind=DIRECTORY, place=path, options=options)
    if not parts.netloc:
        raise ValueError(f"The target {name} names no bucket: {parts.scheme}://bucket/prefix.")
    return TargetSettings(
        name=name,
        kind=parts.scheme,
        place=parts.netloc,
        prefix=parts.path.strip("/"),
        options=options,
        common_endpoint=environment.get(COMMON_ENDPOINT, "") if parts.scheme == "s3" else "",
    )


def _options(name: str, names: list[str], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the options of one target: of `a` and `a-b`, BACKUP_TARGET_A_B_REGION belongs to the longer name."""
    mine = _variable(name)
    longer = [_variable(other) for other in names if len(other) > len(name)]
    for variable, value in environment.items():
        if variable.startswith(mine) and value.strip() and not any(variable.startswith(other) for other in longer):
            yield variable.removeprefix(mine).lower(), value.strip()


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper().replace('-', '_')}_"
