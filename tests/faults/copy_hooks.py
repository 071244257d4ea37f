"""More hooks, for a process that copies: every write of a copy's row, and every request to a bucket, before and after.

A target in a directory has the hooks of the disk already.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import obstore
from django.db import connection

from tests.faults.hooks import Hooks

_TABLE = '"backups_app_backupcopy"'
_SIGN_OF_LIFE = 'SET "heartbeat_at"'
"""Written by the clock: hooks are numbered by the work alone."""
_REQUESTS = ("put", "head", "get_range", "list", "delete")


def watch(hooks: Hooks) -> None:
    """Watch the rows and the buckets of this process until it ends."""

    def write(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if _TABLE not in sql or sql.startswith("SELECT") or _SIGN_OF_LIFE in sql:
            return execute(sql, parameters, many, context)
        name = f"{sql.split(maxsplit=1)[0].lower()} row"
        hooks.reach(f"before {name}")
        done = execute(sql, parameters, many, context)
        hooks.reach(f"after {name}")
        return done

    connection.execute_wrappers.append(write)
    for name in _REQUESTS:
        setattr(obstore, name, _watched(hooks, name, getattr(obstore, name)))


def _watched(hooks: Hooks, name: str, request: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(request)
    def watched(*arguments: Any, **options: Any) -> Any:
        hooks.reach(f"before {name} object")
        answer = request(*arguments, **options)
        hooks.reach(f"after {name} object")
        return answer

    return watched
