"""Runs the real mongodump as a child process that cannot outlive us, cannot show a secret, and cannot flood us."""

from __future__ import annotations

import functools
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backups_app.mongo import processes
from backups_app.redaction import Redactor, passwords

_LISTEN_SECONDS = 0.2
_GRACE_SECONDS = 5.0
_TAIL_LINES = 200
_LONGEST_LINE = 2000
_SHORTEST_SECRET = 3
"""A password of two letters would hide half of the text; the pattern of URIs hides it where it matters."""

_KEPT_ENVIRONMENT = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR", "TZ")

# A step between us and the tool, for a function run after fork in a process with threads may hang: it asks the kernel
# to end the tool when we end, makes sure that we are still there, and becomes the tool.
_LAUNCH = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, kw_only=True)
class ChildProcess:
    """A child as it can be recognised later, also after its number was given to another program."""

    pid: int
    started_at: str
    boot_id: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a tool ended: its exit code (negative for a signal) and its last lines, without secrets."""

    code: int
    lines: tuple[str, ...]


class TimeLimit(Exception):
    """The tool did not end in time and was ended, with everything that it had started."""


def find(name: str) -> Path | None:
    """Return a tool's program on PATH, or None."""
    found = shutil.which(name)
    return Path(found) if found else None


@functools.lru_cache(maxsize=8)
def version(program: Path) -> str:
    """Return what a tool says to `--version`, in a few words; empty when it says nothing within ten seconds."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, timeout=10, env=_environment(), text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.partition("\n")[0].partition("version:")[2].strip()[:100]


def run(
    *,
    command: list[str],
    uri: str,
    seconds: float,
    on_line: Callable[[str], None],
    checkpoint: Callable[[], None],
    on_child: Callable[[ChildProcess], None] | None = None,
) -> Ended:
    """Run a database tool to its end. The URI goes through a private pipe, never through arguments or environment.

    `on_line` hears each line of its log, redacted and cut to 2,000 characters; `checkpoint` is called a few times a
    second and may raise: the tool's whole process group is ended then, as it is when `seconds` are over (`TimeLimit`).
    Raise OSError when it cannot be started.
    """
    config, keep_open = _config_pipe(uri)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command, f"--config={config}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
            pass_fds=(keep_open,),
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(keep_open)
    with process:
        try:
            if on_child is not None:
                on_child(_identity(process.pid))
            tail = _listen(
                process,
                Redactor({*passwords(uri)}, shortest=_SHORTEST_SECRET),
                time.monotonic() + seconds,
                on_line,
                checkpoint,
            )
            return Ended(code=process.wait(), lines=tail)
        finally:
            _end_group(process.pid, poll=process.poll)


def end_orphan(child: ChildProcess) -> bool:
    """End a tool whose parent is gone, with its group, if it is still that process. Return whether it was."""
    if not child.started_at or _identity(child.pid) != child:
        return False
    _end_group(child.pid, poll=lambda: None)
    return True


def _config_pipe(uri: str) -> tuple[str, int]:
    """Return a path that only our child can read the configuration from, once, and the descriptor it must inherit."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe:  # far less than a pipe holds
        pipe.write(f"uri: {json.dumps(uri, ensure_ascii=False)}\n".encode())
    return f"/dev/fd/{read_end}", read_end


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "HOME": "/nonexistent"}


def _listen(
    process: subprocess.Popen[bytes],
    redactor: Redactor,
    deadline: float,
    on_line: Callable[[str], None],
    checkpoint: Callable[[], None],
) -> tuple[str, ...]:
    """Read the log until the tool ends. Memory is bounded however much it writes, and whether or not in lines."""
    assert process.stderr is not None
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    lines = _Lines()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        open_ = True
        while open_ or process.poll() is None:
            checkpoint()
            if time.monotonic() > deadline:
                raise TimeLimit
            if not open_:
                time.sleep(_LISTEN_SECONDS)
                continue
            if not selector.select(_LISTEN_SECONDS):
                open_ = process.poll() is None  # a grandchild may keep the pipe open
                continue
            data = os.read(process.stderr.fileno(), 65536)
            open_ = bool(data)
            for line in lines.feed(data):
                clean = redactor.clean(line)
                tail.append(clean)
                on_line(clean)
    return tuple(tail)


class _Lines:
    """Cuts a byte stream to lines of bounded length."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that are complete; at the end of the stream (no data) also the last one."""
        *whole, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if not data and self._rest:
            whole, self._rest = [*whole, self._rest], b""
        # Cut to twice the length, so that a secret cut in two by this limit is still found and cleaned.
        self._rest = self._rest[: 2 * _LONGEST_LINE]
        return [line[:_LONGEST_LINE].decode("utf-8", "replace") for line in whole if line.strip()]


def _end_group(group: int, *, poll: Callable[[], object]) -> None:
    """TERM, a few seconds of grace, KILL: for the tool and whatever it started. Nothing when all are gone.

    `poll` takes note of a child that has ended: until then it counts as there.
    """
    poll()
    if not _signal_group(group, signal.SIGTERM):
        return
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end and _signal_group(group, 0):
        time.sleep(0.05)
        poll()
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _identity(pid: int) -> ChildProcess:
    """Return what distinguishes this process from a later one of the same number; empty fields where it is gone."""
    found, boot_id = processes.state(pid), processes.boot_id()
    if found is None or not boot_id:
        return ChildProcess(pid=pid, started_at="", boot_id="")
    return ChildProcess(pid=pid, started_at=found.started, boot_id=boot_id)
