"""Carries out `manage.py` commands in forks of one process that has imported the product: a command costs what it does,
and not the two seconds of every import before it.

    with Commands(environment) as commands:
        commands.run("backup_now", "--keep-bookings")        a CompletedProcess, as of subprocess.run

`python -m tests.commands` is that process: it reads one JSON object a line from stdin and answers with an exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

ROOT = Path(__file__).resolve().parent.parent


class Commands:
    """The process that forks. Every command sees the environment that is given here."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**environment, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.commands"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=30)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end. Return its exit code and what it stated."""
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"arguments": arguments, "folder": folder}), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
            assert answer, "the process that forks has ended"
            sentences = [Path(folder, name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(["manage.py", *arguments], int(answer), *sentences)


def main() -> None:
    """Answer until stdin closes. Everything is imported now; nothing is opened before the fork."""
    import django
    from django.core.management import get_commands, load_command_class
    from django.urls import get_resolver

    django.setup()
    for name, app in get_commands().items():
        if app == "backups_app":
            load_command_class(app, name)
    list(get_resolver().url_patterns)
    for line in sys.stdin:
        print(_forked(json.loads(line)), flush=True)


def _forked(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _perform(order["arguments"], Path(order["folder"]))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _perform(arguments: list[str], folder: Path) -> NoReturn:
    """Do in the fork what manage.py does, and end."""
    import manage

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    code = 1
    try:
        sys.argv = ["manage.py", *arguments]
        manage.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  (the last place that can know)
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
