"""The process behind `ProcessPool`: imports Django once, then forks a child for each command it is given.

Reads one JSON object a line from stdin and answers with one. Ends when stdin closes, or with its parent.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

import django
from django.core.management import call_command, get_commands, load_command_class

from tests.faults import guards_removed


def main() -> None:
    """Answer until stdin closes. Everything is imported now, so that a fork is cheap and all of one state."""
    django.setup()
    guards_removed.remove_the_named_one()
    for name in get_commands():
        if name.startswith("backup_"):
            load_command_class("backups_app", name)
    _migrate()
    for line in sys.stdin:
        order = json.loads(line)
        answer = {"ready": True} if "ready" in order else {"pid": _fork(order)}
        print(json.dumps(answer), flush=True)


def _migrate() -> None:
    """Make the Django database in a child, so that this process never opens a connection."""
    pid = os.fork()
    if pid == 0:
        with contextlib.redirect_stdout(sys.stderr):
            call_command("migrate", verbosity=0)
        os._exit(0)
    os.waitpid(pid, 0)


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _child(order)
    threading.Thread(target=_note_end, args=(pid, Path(order["folder"])), daemon=True).start()
    return pid


def _note_end(pid: int, folder: Path) -> None:
    _, status = os.waitpid(pid, 0)
    part = folder / "exit.part"
    part.write_text(str(os.waitstatus_to_exitcode(status)))
    part.rename(folder / "exit")


def _child(order: dict[str, Any]) -> NoReturn:
    folder = Path(order["folder"])
    code = 70
    try:
        for number, name in ((0, os.devnull), (1, str(folder / "stdout")), (2, str(folder / "stderr"))):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdin = open(os.devnull)  # noqa: SIM115
        code = _perform(order, folder)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  (the last place that can know)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _perform(order: dict[str, Any], folder: Path) -> int:
    from django.test import override_settings

    from backups_app.configuration import Configuration, Secret
    from backups_app.mongo import connections
    from backups_app.mongo.exact_writes import delete
    from backups_app.records import Side
    from backups_app.target_settings import TargetSettings
    from tests.faults import copy_hooks, hooks
    from tests.faults.broken_disk import BrokenDisk

    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # how a test asks where a command hangs
    if order["file_limit"] is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
    if order["broken_disk"] is not None:
        BrokenDisk(**order["broken_disk"]).install()
    if order["impatient"]:
        connections.TIMEOUT_SECONDS = {Side.LOCAL: 10, Side.REMOTE: 4}
        connections.SERVER_SELECTION_SECONDS = {Side.LOCAL: 5, Side.REMOTE: 2}
        delete.SECOND_LOOK_SECONDS = 2.0
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in order["configuration"].items()
    }
    configuration = Configuration(
        **{
            **values,
            "local_url": Secret(values["local_url"]),
            "cloud_url": Secret(values["cloud_url"]),
            "backup_dir": Path(values["backup_dir"]),
            "targets": tuple(
                TargetSettings(**{**one, "options": tuple(map(tuple, one["options"]))}) for one in values["targets"]
            ),
        }
    )
    if order["stop_at"]:
        hooks.watch(hooks.stop_at(order["stop_at"]))
    else:
        journal = None if order["file_limit"] is not None else folder / "hooks"
        watched = hooks.watch(hooks.kill_at(order["kill_at"], journal=journal))
        if values["targets"]:
            copy_hooks.watch(watched)
    with override_settings(TEMPLEOPS=configuration):
        call_command(*order["arguments"])
    return 0


if __name__ == "__main__":
    main()
