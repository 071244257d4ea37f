"""A mongod that asks who you are: a one-node replica set with access control and the user `root`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from backups_app.mongo import embedded

PASSWORD = "secret"


@contextmanager
def guarded_server(folder: Path) -> Iterator[str]:
    """Start one with its data in `folder`, yield its address, and kill it at the end."""
    port = embedded.free_port()
    key = folder / "key"
    key.write_text("a key of the set that nobody needs")
    key.chmod(0o600)
    (folder / "data").mkdir()
    options = ["--auth", "--keyFile", str(key), "--replSet", "guarded", "--bind_ip", "127.0.0.1"]
    process = subprocess.Popen(
        [embedded.find().path, "--dbpath", str(folder / "data"), "--port", str(port), *options,
         "--wiredTigerCacheSizeGB", "0.25"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _make_root(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def uri(address: str, user: str = "root") -> str:
    """How a user of such a server logs in."""
    return f"mongodb://{user}:{PASSWORD}@{address}/?directConnection=true"


def _make_root(address: str) -> None:
    with MongoClient[Any](f"mongodb://{address}/?directConnection=true") as client:
        client.admin.command("replSetInitiate", {"_id": "guarded", "members": [{"_id": 0, "host": address}]})
        while not client.admin.command("hello")["isWritablePrimary"]:
            time.sleep(0.05)
        client.admin.command("createUser", "root", pwd=PASSWORD, roles=["root"])
