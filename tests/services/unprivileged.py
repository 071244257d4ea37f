"""A folder and a way to run for servers that refuse to be root: PostgreSQL does."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NOBODY = "nobody"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the server's user may enter, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="templeops-server-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(NOBODY)
            os.chown(name, nobody.pw_uid, nobody.pw_gid)
        yield Path(name)


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command that runs this one as ourselves, or as nobody where we are root."""
    if os.geteuid() != 0:
        return list(arguments)
    nobody = pwd.getpwnam(NOBODY)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *arguments]
