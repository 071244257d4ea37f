"""What the request or the run at hand is called and where it comes from, for errors, log lines and audit rows.

Set by RequestIdMiddleware, under gunicorn a moment before; empty outside a request (commands, the worker).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """`session` is the login session's `sid`, once it is known."""

    request_id: str = ""
    address: str = ""
    session: str = ""


_RUN: ContextVar[str] = ContextVar("run", default="")
_CURRENT: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext())  # noqa: B039  (frozen)


def current() -> RequestContext:
    """Return the context of the request at hand."""
    return _CURRENT.get()


def enter(*, address: str) -> Token[RequestContext]:
    """A request begins: give it an id of 12 hex digits, unless the web server gave it one (`named`). What a client
    sends as an id is not taken over."""
    return _CURRENT.set(RequestContext(request_id=current().request_id or secrets.token_hex(6), address=address))


@contextmanager
def named() -> Iterator[None]:
    """Within this block a request has an id before it reaches the application, and after: the web server's own lines
    about it bear the same one."""
    token = _CURRENT.set(RequestContext(request_id=secrets.token_hex(6)))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def run_id() -> str:
    """Return the id of the run or sync that is being carried out here; empty outside of one."""
    return _RUN.get()


@contextmanager
def carrying_out(run: str) -> Iterator[None]:
    """Within this block, log lines bear the id of this run or sync."""
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


def signed_in(*, session: str) -> None:
    """The login session behind the request is known now."""
    _CURRENT.set(replace(_CURRENT.get(), session=session))


def as_json() -> dict[str, str]:
    """Return the context of the request at hand, for work that goes on after it."""
    return asdict(_CURRENT.get())


@contextmanager
def resumed(stored: Mapping[str, str]) -> Iterator[None]:
    """Within this block, work for the request that `as_json` described: the audit trail names it."""
    known = {name: str(stored.get(name, "")) for name in asdict(RequestContext())}
    token = _CURRENT.set(RequestContext(**known))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def leave(token: Token[RequestContext]) -> None:
    """The request is over."""
    _CURRENT.reset(token)
