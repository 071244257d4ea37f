"""What the request at hand is called and where it comes from, for its errors, log lines and audit rows.

Set by RequestIdMiddleware; empty outside a request (commands, the worker).
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


_CURRENT: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext())  # noqa: B039  (frozen)


def current() -> RequestContext:
    """Return the context of the request at hand."""
    return _CURRENT.get()


def enter(*, address: str) -> Token[RequestContext]:
    """A request begins: give it an id of 12 hex digits. What a client sends as an id is not taken over."""
    return _CURRENT.set(RequestContext(request_id=secrets.token_hex(6), address=address))


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
