"""Login by the API and by the page (`docs/security.md`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from backups_app.models import User
from tests.security.conftest import FIREFOX, send

pytestmark = pytest.mark.django_db
Try = Callable[..., tuple[int, str, Any]]
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
IN = "in"


def over_the_api(username: str, password: str, address: str = HERE, **headers: str) -> tuple[int, str, Any]:
    """Return the status, `in` or the sentence, and the answer."""
    body = json.dumps({"username": username, "password": password}).encode()
    answer = send("POST", "/api/auth/login", body, {"User-Agent": FIREFOX, **headers}, address)
    return answer.status_code, IN if answer.status_code == 200 else answer.json()["detail"], answer


def on_the_page(username: str, password: str, address: str = HERE, **headers: str) -> tuple[int, str, Any]:
    """The same on the page: signed in is a redirection, refused is the form again."""
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": FIREFOX, **headers})
    answer = client.post("/login/", {"username": username, "password": password})
    if answer.status_code in (302, 303):
        return 200, IN, answer
    refusal = answer.context["refusal"]
    return answer.status_code, refusal.detail, answer


DOORS: list[Try] = [over_the_api, on_the_page]
door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


@door
def test_login_1_the_sixth_failure_closes_the_door_for_this_account_and_address(
    super_admin: User, password: str, door: Try, clock: Any
) -> None:
    for _ in range(5):
        assert door("ananya", "wrong")[0] != 429

    status, _, answer = door("ananya", "wrong")
    assert status == 429
    if door is over_the_api:
        assert answer.headers["Retry-After"] == "900"
        assert answer.json()["code"] == "rate_limited"
    assert door("ananya", password)[0] == 429
    assert door("ananya", password, address=ELSEWHERE)[1] == IN
    clock.shift(timedelta(minutes=15, seconds=1))
    assert door("ananya", password)[1] == IN


@door
def test_login_1_the_twentyfirst_failure_of_one_address(super_admin: User, door: Try) -> None:
    for number in range(20):
        assert door(f"person-{number}", "wrong")[0] != 429

    assert door("ananya", "wrong")[0] == 429


@door
def test_login_1_no_password_is_looked_at_once_the_door_is_closed(
    super_admin: User, password: str, door: Try, hashed: list[str]
) -> None:
    for _ in range(5):
        door("ananya", "wrong")
    hashed.clear()

    door("ananya", password)

    assert hashed == []


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every run of the hasher, with its parameters: what makes a login slow."""
    runs: list[str] = []
    real_encode, real_verify = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify

    def parameters(hasher: Argon2PasswordHasher) -> str:
        return f"{hasher.algorithm} {hasher.time_cost} {hasher.memory_cost} {hasher.parallelism}"

    def encode(self: Argon2PasswordHasher, *args: Any, **kwargs: Any) -> str:
        runs.append(parameters(self))
        return real_encode(self, *args, **kwargs)

    def verify(self: Argon2PasswordHasher, *args: Any, **kwargs: Any) -> bool:
        runs.append(parameters(self))
        return real_verify(self, *args, **kwargs)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", verify)
    return runs


@door
def test_login_2_every_refusal_looks_the_same_and_costs_the_same(
    super_admin: User, admin: User, password: str, door: Try, hashed: list[str]
) -> None:
    User.objects.filter(pk=admin.pk).update(is_active=False)
    sentences: list[tuple[int, str]] = []
    cost: list[list[str]] = []

    for username, typed in (("nobody", password), ("ananya", "wrong"), ("ravi", password)):
        hashed.clear()
        status, sentence, _ = door(username, typed)
        sentences.append((status, sentence))
        cost.append(list(hashed))

    assert sentences[0] == sentences[1] == sentences[2]
    assert sentences[0][1] != IN
    assert cost[0] == cost[1] == cost[2]
    assert len(cost[0]) == 1


@door
@pytest.mark.parametrize("username", ["", "x\0y", "n" * 900, "a\nb", "\u202eananya", "'; DROP TABLE users; --"])
def test_names_no_account_can_have_are_refused_like_any_other(
    super_admin: User, password: str, door: Try, username: str
) -> None:
    if not username and door is over_the_api:
        assert door(username, password)[0] == 422
        return
    status, sentence, _ = door(username, password)

    assert (status, sentence) == (door("nobody", password)[0], door("nobody", password)[1])


@door
def test_login_3_a_spoofed_forwarding_address_changes_nothing(super_admin: User, password: str, door: Try) -> None:
    for number in range(5):
        door("ananya", "wrong", **{"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"})

    assert door("ananya", password, **{"X-Forwarded-For": "203.0.113.99", "Forwarded": "for=203.0.113.99"})[0] == 429


def test_a_right_password_after_four_wrong_ones_resets_the_count(super_admin: User, password: str) -> None:
    for _ in range(3):
        for _ in range(4):
            assert over_the_api("ananya", "wrong")[0] == 401
        assert over_the_api("ananya", password)[1] == IN
