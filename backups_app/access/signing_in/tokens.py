"""Access and refresh tokens: JWTs of one fixed algorithm and one fixed header, good only with a live login session.

A refresh token is used once. Anyone who sends it a second time, thief or victim, ends the session: we cannot know which
of the two came first. (simplejwt has no such detection, and its blacklist is skipped silently when its app is not
installed; so it is ours. The database keeps the SHA-256 of a refresh token, never the token.)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import Token

from backups_app.access.requests.visit import Visit
from backups_app.access.signing_in import sessions
from backups_app.errors import NotAuthenticated, TokenExpired
from backups_app.models import LoginSession, RefreshToken

ACCESS_LIFETIME = timedelta(minutes=5)
LONGEST_TOKEN = 4096
ALGORITHM = "HS256"
HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
"""The only header we write, so the only one we read: `kid`, `jku`, `jwk`, `x5u` and `crit` never reach a parser."""
SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class _AccessToken(Token):
    token_type = "access"  # noqa: S105
    lifetime = ACCESS_LIFETIME

    def get_token_backend(self) -> TokenBackend:
        return _backend(settings.SECRET_KEY)


class _RefreshToken(Token):
    token_type = "refresh"  # noqa: S105
    lifetime = sessions.ABSOLUTE

    def get_token_backend(self) -> TokenBackend:
        return _backend(settings.SECRET_KEY)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a token says of itself. Who the user is and what they may do is read from the database."""

    sid: str
    user_id: str
    jti: str


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    """What a login or a refresh hands out."""

    access: str
    refresh: str
    access_expires_at: datetime
    session: LoginSession


def issue(*, session: LoginSession, now: datetime) -> TokenPair:
    """Mint a pair that stands on this session, and remember the hash of its refresh token."""
    access, refresh = _minted(_AccessToken, session), _minted(_RefreshToken, session)
    RefreshToken.objects.create(session=session, token_hash=_hash(str(refresh)), created_at=now)
    expires_at = datetime.fromtimestamp(access["exp"], UTC)
    return TokenPair(access=str(access), refresh=str(refresh), access_expires_at=expires_at, session=session)


def session_of(*, access: str, visit: Visit, now: datetime) -> LoginSession:
    """Return the live session behind an access token. Raise NotAuthenticated or TokenExpired."""
    claims = read(access, kind=_AccessToken)
    session = sessions.authenticate(sid=claims.sid, visit=visit, now=now)
    if str(session.user_id) != claims.user_id or session.face != LoginSession.Face.API:
        raise NotAuthenticated
    return session


def rotate(*, refresh: str, visit: Visit, now: datetime) -> TokenPair:
    """Exchange a refresh token for a new pair. Raise NotAuthenticated; a second use also ends the session.

    The claim is one UPDATE (unused to used), so of fifty at once one wins. Refreshing does not keep an idle session
    alive: a page left open in a corner refreshes, too.
    """
    claims = read(refresh, kind=_RefreshToken)
    row = RefreshToken.objects.select_related("session__user").filter(token_hash=_hash(refresh)).first()
    if row is None or row.session.sid != claims.sid or str(row.session.user_id) != claims.user_id:
        raise NotAuthenticated
    if RefreshToken.objects.filter(pk=row.pk, used_at=None).update(used_at=now) != 1:
        sessions.end_as_suspect(row.session, because="refresh_reused", visit=visit, now=now)
        raise NotAuthenticated
    return issue(session=sessions.authenticate(sid=claims.sid, visit=visit, now=now), now=now)


def read(raw: str, *, kind: type[Token]) -> Claims:
    """Given a token as sent, return its claims. Raise TokenExpired or NotAuthenticated; touch no row.

    Size and shape are checked before anything decodes it. Every part must be the canonical base64url form of what it
    decodes to: otherwise one token has many spellings, and a list of hashes knows only one of them.
    """
    if len(raw) > LONGEST_TOKEN or not SHAPE.fullmatch(raw) or not _is_canonical(raw):
        raise NotAuthenticated
    try:
        payload = kind(raw).payload  # type: ignore[arg-type]  # its annotation is wrong: it takes the text
    except ExpiredTokenError:
        raise TokenExpired from None
    except (TokenError, ValueError, TypeError, OverflowError, RecursionError):
        raise NotAuthenticated from None
    return _checked(payload)


def _checked(payload: dict[str, Any]) -> Claims:
    texts = [payload.get(name) for name in ("sid", "user_id", "jti")]
    moments = [payload.get(name) for name in ("exp", "iat")]
    if not all(type(text) is str and text for text in texts) or not all(type(moment) is int for moment in moments):
        raise NotAuthenticated
    return Claims(sid=payload["sid"], user_id=payload["user_id"], jti=payload["jti"])


def _is_canonical(raw: str) -> bool:
    header, *_ = parts = raw.split(".")
    try:
        return header == HEADER and all(_encoded(_decoded(part)) == part for part in parts)
    except binascii.Error:
        return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _minted(kind: type[Token], session: LoginSession) -> Token:
    token = kind()
    token["sid"] = session.sid
    token["user_id"] = str(session.user_id)
    return token


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


@lru_cache(maxsize=4)
def _backend(secret_key: str) -> TokenBackend:
    """The key is derived, so that a signed cookie can never be taken for a token. No leeway: our clock is one."""
    key = salted_hmac("templeops.jwt", b"", secret=secret_key, algorithm="sha256").hexdigest()
    return TokenBackend(ALGORITHM, signing_key=key, leeway=0)
