"""Carries out `manage.py` in forks of one process that has imported the libraries: a start costs what the product does,
and not the second of importing Django, the driver and the rest.

    with ForkServer(folder) as server:
        server.run("check", environment={…})          a CompletedProcess, as of subprocess.run
        server.shell_function                         the same for a script of bash
        server.start(GUNICORN, "--bind", …)           a Service, which goes on, as of subprocess.Popen

Settings and the product's own modules are imported in the fork, from the environment that it is given, as in a start.
`python -m tests.fork_server SOCKET` is that process. It ends when stdin closes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn, Self

from tests import fork_client

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_SETTINGS = (
    "argon2", "asgiref", "bson", "cronsim", "dj_database_url", "dotenv", "environs", "gzip", "isal", "jsonschema",
    "jwt", "marshmallow", "obstore", "prometheus_client", "psycopg", "pymongo", "requests", "rich", "sqlparse",
    "urllib3", "whitenoise", "yaml", "django.apps", "django.conf", "django.core", "django.db", "django.dispatch",
    "django.forms", "django.http", "django.middleware", "django.template", "django.test", "django.urls", "django.utils",
    "django.views",
)  # fmt: skip
"""Libraries that read no setting while they are imported."""
GUNICORN = "gunicorn"
START_SECONDS = 60.0
LONGEST_SECONDS = 120.0


class Service:
    """A process that was started and goes on. `pid` is its own; it leads a session."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.returncode: int | None = None
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal, or None while it runs."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code when it has ended. Raise TimeoutError when it has not after so many seconds."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            self._ended()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _ended(self) -> None:
        self.returncode = int(self._line())
        self._connection.close()

    def _line(self) -> bytes:
        read = b""
        while not read.endswith(b"\n"):
            part = self._connection.recv(1)
            assert part, "the process that forks has ended"
            read += part
        return read


class ForkServer:
    """The process that forks, for a session of tests. `folder` is its own."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(self._socket)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the process that forks did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=START_SECONDS)

    @property
    def shell_function(self) -> str:
        """Return the definition of `manage.py` for bash."""
        return f'manage.py() {{ "{sys.executable}" -I -S "{fork_client.__file__}" "{self._socket}" "$@"; }}\n'

    def run(self, *arguments: str, environment: Mapping[str, str], **streams: Any) -> subprocess.CompletedProcess[str]:
        """Run one command to its end. `stdin`, `stdout`, `stderr` are files, as for subprocess; without them the
        command reads nothing, and what it printed is in the answer."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
            given = {"stdin": nothing, "stdout": out, "stderr": err} | streams
            code = fork_client.run(
                str(self._socket), list(arguments), environment=dict(environment), folder=str(ROOT),
                streams=[given[name].fileno() for name in ("stdin", "stdout", "stderr")], seconds=LONGEST_SECONDS,
            )  # fmt: skip
            printed = [_text(file) for file in (out, err)]
        return subprocess.CompletedProcess(["manage.py", *arguments], code, *printed)

    def start(self, program: str, *arguments: str, environment: Mapping[str, str], output: IO[bytes]) -> Service:
        """Start `manage.py` or `gunicorn` in a session of its own, and return at once. What it prints goes to
        `output`."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self._socket))
        order = {
            "program": program, "arguments": arguments, "environment": dict(environment), "folder": str(ROOT),
            "is_service": True,
        }  # fmt: skip
        with open(os.devnull, "rb") as nothing:
            streams = [nothing.fileno(), output.fileno(), output.fileno()]
            fork_client.send(connection, order, streams=streams)
            return Service(connection)


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def main() -> None:
    """Answer until stdin closes."""
    path, tried = Path(sys.argv[1]), set[str]()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            _import_what_was_loaded(path.parent, tried=tried)
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _answer(connection, path.parent)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _import_what_was_loaded(folder: Path, *, tried: set[str]) -> None:
    """Import what earlier commands have loaded of the libraries: the first of them has shown what is needed."""
    for loaded in folder.glob("loaded-*"):
        for name in loaded.read_text().split():
            if name not in tried and any(f"{name}.".startswith(f"{library}.") for library in WITHOUT_SETTINGS):
                tried.add(name)
                with contextlib.suppress(Exception):  # it needs settings after all
                    importlib.import_module(name)
        loaded.unlink()
    gc.collect()
    gc.freeze()


def _answer(connection: socket.socket, folder: Path) -> NoReturn:
    """Fork once more for the command, and send its exit code; of a service its pid first."""
    order, streams = fork_client.received(connection)
    pid = os.fork()
    if pid == 0:
        connection.close()
        _perform(order, streams, folder)
    for stream in streams:
        os.close(stream)
    with contextlib.suppress(OSError):
        if order.get("is_service"):
            connection.sendall(f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(f"{code}\n".encode())
    os._exit(0)


def _perform(order: dict[str, Any], streams: list[int], folder: Path) -> NoReturn:
    """Do in the fork what a start of the program does, and end."""
    if order.get("is_service"):
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    if os.environ.get("PYTHONWARNINGS") == "error":  # Python reads it when it starts, which was long ago
        warnings.simplefilter("error")
    code = 1
    try:
        sys.argv = [order["program"], *order["arguments"]]
        _main_of(order["program"])()
        code = 0
    except SystemExit as end:
        code = _code_of(end)
    except BaseException:  # noqa: BLE001  (the last place that can know)
        traceback.print_exc()
    for text in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            text.flush()
    folder.joinpath(f"loaded-{os.getpid()}").write_text(" ".join(sys.modules))
    os._exit(code)


def _main_of(program: str) -> Callable[[], None]:
    if program == GUNICORN:
        wsgiapp = importlib.import_module("gunicorn.app.wsgiapp")
        return lambda: wsgiapp.run(prog=GUNICORN)
    import manage

    return manage.main


def _code_of(end: SystemExit) -> int:
    """Return the exit code that Python would end with; what else is given is printed, as Python does."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    main()
