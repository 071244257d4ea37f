"""Azurite, Microsoft's own server that speaks as Azure Blob. From npm, outside the project."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from shutil import which
from urllib.parse import urlencode

import pytest

from tests.services.processes import free_ports, running

MISSING = "Azurite is not here: npm install -g azurite@3.35.0 brings it (or name its program in AZURITE_BIN)."
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, in its documentation."""
VERSION = "2021-12-02"


@dataclass(frozen=True, kw_only=True)
class Azurite:
    """A running server."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    def options(self, key: str = KEY) -> Mapping[str, str]:
        """Return the options of a target at this server."""
        return {"account_name": ACCOUNT, "account_key": key, "endpoint": self.endpoint}

    def reading_options(self, container: str) -> Mapping[str, str]:
        """Return the options of a target that may list and read one container: a shared access signature."""
        expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = ("rl", "", expires, f"/blob/{ACCOUNT}/{container}", "", "", "", VERSION, "c", *[""] * 7)
        digest = hmac.new(base64.b64decode(KEY), "\n".join(given).encode(), hashlib.sha256).digest()
        signature = {"sp": "rl", "se": expires, "sv": VERSION, "sr": "c", "sig": base64.b64encode(digest).decode()}
        return {"account_name": ACCOUNT, "sas_key": urlencode(signature), "endpoint": self.endpoint}

    def make_container(self, name: str) -> None:
        date = formatdate(usegmt=True)
        signed = (
            f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        )
        digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
        headers = {
            "x-ms-date": date,
            "x-ms-version": VERSION,
            "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}",
            "Content-Type": "",
        }
        url = f"{self.endpoint}/{name}?restype=container"
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=b"", headers=headers), timeout=20):
            return


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """Start a server whose data is in `folder`. Skip the test where the program is not here."""
    program = os.environ.get("AZURITE_BIN") or which("azurite-blob")
    if program is None or subprocess.run([program, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(MISSING)
    (port,) = free_ports(1)
    command = [
        program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder), "--disableTelemetry",
        "--skipApiVersionCheck", "--silent",
    ]  # fmt: skip
    with running(command, log=folder / "log", is_ready=lambda: _answers(port)):
        yield Azurite(port=port)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
