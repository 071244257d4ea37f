"""Servers of our own: found, started, killed, brought back, and never left behind."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backups_app.errors import MongodDidNotStart, MongodMissing
from backups_app.mongo import embedded
from backups_app.mongo.embedded import EmbeddedServer


def test_a_mongod_that_does_not_start_is_skipped(tmp_path: Path) -> None:
    broken = tmp_path / "mongod"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    found = embedded.find(environment={"MONGOD_BIN": str(broken), "PATH": str(tmp_path)})

    assert found.path != broken
    assert found.version[0].isdigit()


def test_the_named_mongod_comes_first(tmp_path: Path) -> None:
    mine = tmp_path / "mongod"
    mine.write_text("#!/bin/sh\necho 'db version v9.9.9'\n")
    mine.chmod(0o755)

    assert embedded.find(environment={"MONGOD_BIN": str(mine)}) == embedded.Mongod(path=mine, version="9.9.9")


def test_without_any_mongod_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MongodMissing, match="MONGOD_BIN"):
        embedded.find(environment={"PATH": ""})


@pytest.mark.parametrize("replica_set", [None, "kept"])
def test_data_outlive_a_stop_and_a_change_of_port(tmp_path: Path, replica_set: str | None) -> None:
    with EmbeddedServer(data_dir=tmp_path, replica_set=replica_set) as server, server.client() as client:
        client.seeded.bookings.insert_one({"_id": 1})
        first_port = server.port

    with EmbeddedServer(data_dir=tmp_path, replica_set=replica_set) as server, server.client() as client:
        assert client.seeded.bookings.count_documents({}) == 1
        assert server.port != first_port


def test_a_killed_server_comes_back_with_its_journaled_writes(tmp_path: Path) -> None:
    with (
        EmbeddedServer(data_dir=tmp_path, replica_set="killed") as server,
        server.client(w="majority", journal=True) as client,
    ):
        client.seeded.bookings.insert_one({"_id": 1})
        port = server.port

        server.kill()
        assert not server.is_running
        server.start()

        assert server.port == port
        assert client.seeded.bookings.count_documents({}) == 1


def test_a_taken_port_is_named(tmp_path: Path, local_server: EmbeddedServer) -> None:
    with pytest.raises(MongodDidNotStart, match=f"port {local_server.port} is taken"):
        EmbeddedServer(data_dir=tmp_path, port=local_server.port).start()


def test_a_data_folder_in_use_is_named(local_server: EmbeddedServer) -> None:
    with pytest.raises(MongodDidNotStart, match="in use by another mongod"):
        EmbeddedServer(data_dir=local_server.data_dir).start()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_nothing_survives_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib\n"
        "from backups_app.mongo.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(data_dir=pathlib.Path(sys.argv[1])).start()\n"
        "print(server.process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server_pid = int(parent.stdout.readline())

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    assert _is_gone(server_pid)


def _is_gone(process_id: int) -> bool:
    for _ in range(1200):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # dead, and waiting for the one who adopted it to notice
        time.sleep(0.05)
    return False
