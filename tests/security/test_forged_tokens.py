"""Forged tokens: what is not our token, whole and unchanged, is refused (`docs/security.md`)."""

from __future__ import annotations

import base64
import json
import os
import socket
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client

from backups_app.access.signing_in import tokens
from backups_app.models import User
from tests.security.conftest import PROBE, START, Caller, SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(super_admin: User, sign_in: SignIn, clock: Any) -> Caller:
    """A Super Admin with a good token."""
    return sign_in(super_admin)


def our_key() -> str:
    return str(tokens._backend(settings.SECRET_KEY).signing_key)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims_of(caller: Caller) -> dict[str, Any]:
    return dict(json.loads(unb64(caller.access.split(".")[1])))


def signed(payload: Any, *, key: Any = None, algorithm: str = "HS256", headers: dict[str, Any] | None = None) -> str:
    return jwt.encode(payload, key or our_key(), algorithm=algorithm, headers=headers)


def signed_raw(header: bytes, payload: bytes) -> str:
    """Signed with our own key, whatever stands in it."""
    message = f"{b64(header)}.{b64(payload)}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        message.encode(), our_key().encode()
    )
    return f"{message}.{b64(signature)}"


OUR_HEADER = b'{"alg":"HS256","typ":"JWT"}'


def assert_refused(caller: Caller, token: str) -> None:
    answer = caller.get(Authorization=f"Bearer {token}")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] in ("not_authenticated", "token_expired")  # type: ignore[attr-defined]


def test_the_yardstick_a_token_made_as_these_tests_make_them_is_good(caller: Caller) -> None:
    token = signed_raw(OUR_HEADER, json.dumps(claims_of(caller)).encode())

    assert caller.get(Authorization=f"Bearer {token}").status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_jwt_1_no_algorithm(caller: Caller, alg: str) -> None:
    header = b64(json.dumps({"alg": alg, "typ": "JWT"}).encode())

    assert_refused(caller, f"{header}.{caller.access.split('.')[1]}.")


@pytest.mark.parametrize("shape", ["{h}.{p}.", "{h}.{p}", "{h}.{p}.{s}.{s}.{s}"])
def test_jwt_1_no_signature_or_other_shapes(caller: Caller, shape: str) -> None:
    h, p, s = caller.access.split(".")

    assert_refused(caller, shape.format(h=h, p=p, s=s))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_jwt_2_another_hash_with_our_key(caller: Caller, algorithm: str) -> None:
    assert_refused(caller, signed(claims_of(caller), algorithm=algorithm))


@pytest.mark.parametrize(("algorithm", "size"), [("RS256", 256), ("ES256", 64)])
def test_jwt_2_a_signature_by_a_key_pair(caller: Caller, algorithm: str, size: int) -> None:
    """No library for them is installed here, and none is needed: nothing but our one header is read."""
    header = b64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())

    assert_refused(caller, f"{header}.{caller.access.split('.')[1]}.{b64(os.urandom(size))}")


def test_jwt_2_a_list_of_algorithms(caller: Caller) -> None:
    assert_refused(caller, signed_raw(b'{"alg":["HS256"],"typ":"JWT"}', json.dumps(claims_of(caller)).encode()))


KIDS = ["../../dev/null", "'", "\0", "k" * 2_000, "unknown"]
POINTERS: list[dict[str, Any]] = [
    *({"kid": kid} for kid in KIDS),
    {"jku": "http://127.0.0.1:9/keys"},
    {"jwk": {"kty": "oct", "k": b64(b"attacker" * 4)}},
    {"x5u": "http://127.0.0.1:9/cert"},
    {"crit": ["exp"]},
]


@pytest.mark.parametrize("pointer", POINTERS, ids=lambda pointer: next(iter(pointer)))
@pytest.mark.parametrize("key", ["attacker" * 8, None], ids=["attackers_key", "our_key"])
def test_jwt_3_pointers_to_keys_are_not_followed(
    caller: Caller, pointer: dict[str, Any], key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: connections.append(address))
    header = json.dumps({"alg": "HS256", "typ": "JWT", **pointer}).encode()
    payload = json.dumps(claims_of(caller)).encode()
    token = signed_raw(header, payload)
    if key:
        message = token.rpartition(".")[0]
        hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        token = f"{message}.{b64(hmac.sign(message.encode(), key.encode()))}"

    assert_refused(caller, token)
    assert connections == []


def wrong_claims(caller: Caller, other: Caller) -> dict[str, bytes]:
    """Claims that our own key signed and that are still not good."""
    good = claims_of(caller)
    now = int(START.timestamp())

    def but(**changes: Any) -> bytes:
        return json.dumps({k: v for k, v in {**good, **changes}.items() if v is not ...}).encode()

    return {
        "exp past": but(exp=now - 6),
        "exp missing": but(exp=...),
        "exp a string": but(exp="soon"),
        "exp a string of digits": but(exp=str(now + 60)),
        "exp endless": but(exp="X").replace(b'"X"', b"1e400"),
        "exp true": but(exp=True),
        "nbf ahead": but(nbf=now + 60),
        "iat ahead": but(iat=now + 60),
        "iat missing": but(iat=...),
        "a refresh token": but(token_type="refresh"),
        "no type": but(token_type=...),
        "no jti": but(jti=...),
        "no sid": but(sid=...),
        "unknown sid": but(sid="A" * 43),
        "another's sid": but(sid=other.session_id),
        "sid a number": but(sid=1),
        "user unknown": but(user_id="999999"),
        "user a number": but(user_id=int(good["user_id"])),
        "user missing": but(user_id=...),
        "user another": but(user_id=claims_of(other)["user_id"]),
    }


WRONG = [
    "exp past", "exp missing", "exp a string", "exp a string of digits", "exp endless", "exp true", "nbf ahead",
    "iat ahead", "iat missing", "a refresh token", "no type", "no jti", "no sid", "unknown sid", "another's sid",
    "sid a number", "user unknown", "user a number", "user missing", "user another",
]  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_jwt_4_claims_that_are_not_good(caller: Caller, admin: User, sign_in: SignIn, what: str) -> None:
    payload = wrong_claims(caller, sign_in(admin))[what]

    assert_refused(caller, signed_raw(OUR_HEADER, payload))
    assert caller.get().status_code == 200


def test_jwt_4_a_deleted_user(caller: Caller, super_admin: User) -> None:
    super_admin.delete()

    assert_refused(caller, caller.access)


def test_jwt_4_our_own_refresh_token_is_no_access_token(caller: Caller) -> None:
    assert_refused(caller, caller.refresh)


def test_jwt_4_an_access_token_ends_after_five_minutes(caller: Caller, clock: Any) -> None:
    clock.shift(timedelta(minutes=4, seconds=54))
    assert caller.get().status_code == 200

    clock.shift(timedelta(seconds=12))
    answer = caller.get()
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")  # type: ignore[attr-defined]


def test_jwt_5_one_bit_flipped_anywhere(caller: Caller) -> None:
    parts = [unb64(part) for part in caller.access.split(".")]
    header, payload, signature = parts
    assert (len(header) * 8, len(signature) * 8) == (216, 256)
    spread = [number * len(payload) * 8 // 128 for number in range(128)]
    flips = [*((0, bit) for bit in range(216)), *((1, bit) for bit in spread), *((2, bit) for bit in range(256))]

    good = []
    for part, bit in flips:
        changed = [bytearray(content) for content in parts]
        changed[part][bit // 8] ^= 1 << bit % 8
        token = ".".join(b64(bytes(content)) for content in changed)
        if caller.get(Authorization=f"Bearer {token}").status_code != 401:
            good.append((part, bit))

    assert len(flips) == 600
    assert good == []


def test_jwt_6_other_spellings_of_a_good_token(caller: Caller) -> None:
    h, p, s = caller.access.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = [s[:-1] + last for last in alphabet if last != s[-1] and unb64(s[:-1] + last) == unb64(s)]
    assert len(same) == 3
    spellings = [
        *(f"{h}.{p}.{other}" for other in same),
        f"{h}=.{p}.{s}", f"{h}.{p}=.{s}", f"{h}.{p}.{s}=",
        f"{h}.{p}.{s.replace('-', '+').replace('_', '/')}" if set(s) & set("-_") else f"{h}.{p}.{s}+",
        f"{h[:4]}\t{h[4:]}.{p}.{s}", f"{h}.{p[:4]} {p[4:]}.{s}", f"{h}.{p}.{s[:4]} {s[4:]}",
    ]  # fmt: skip

    for token in spellings:
        assert_refused(caller, token)
    with pytest.raises(Exception):  # noqa: B017  (a newline never gets as far as us)
        tokens.read(f"{h}.{p}\n.{s}", kind=tokens._AccessToken)
    assert caller.get().status_code == 200


BODIES = {
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "deep below the cap": b"[" * 1_400 + b"]" * 1_400,
    "huge": b'{"a":"' + b"x" * 1_000_000 + b'"}',
    "not UTF-8": b'{"a":"\xff\xfe"}',
    "not JSON": b"{exp: soon",
    "an array": b"[1,2,3]",
    "a huge number": b'{"exp":' + b"9" * 2_500 + b"}",
}


@pytest.mark.parametrize("what", BODIES)
def test_jwt_7_bodies_that_break_parsers(caller: Caller, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token = signed_raw(OUR_HEADER, BODIES[what])
    decoded: list[str] = []
    monkeypatch.setattr(tokens, "_decoded", lambda part: decoded.append(part) or unb64(part))  # type: ignore[func-returns-value]

    assert_refused(caller, token)
    if len(token) > tokens.LONGEST_TOKEN:
        assert decoded == []


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YW5hbnlhOng=", "{t}", "bearer {t}", "Bearer {t} {t}", "Bearer {t},{t}"]
)
def test_jwt_8_other_headers(caller: Caller, header: str) -> None:
    assert caller.get(Authorization=header.format(t=caller.access)).status_code == 401


def test_jwt_8_a_token_in_the_query_or_in_a_cookie_is_not_looked_for(caller: Caller) -> None:
    client = Client(headers=caller.headers)
    client.cookies["access"] = caller.access
    client.cookies["Authorization"] = f"Bearer {caller.access}"

    for path in (
        PROBE,
        f"{PROBE}?access={caller.access}",
        f"{PROBE}?access_token={caller.access}&token={caller.access}",
    ):
        assert client.get(path).status_code == 401


def test_jwt_8_the_cookie_of_the_pages_opens_no_api(super_admin: User, caller: Caller) -> None:
    client = Client(headers=caller.headers)
    client.force_login(super_admin)

    assert client.get(PROBE).status_code == 401
