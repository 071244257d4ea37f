"""Who guesses is slowed down; the account stays usable from elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backups_app.access.signing_in import throttle
from backups_app.errors import RateLimited
from backups_app.models import LoginFailure

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


def fail(times: int, *, now: datetime, username: str = "ananya", address: str = HERE) -> None:
    for _ in range(times):
        throttle.count_try(username=username, address=address, now=now)


def test_five_tries_are_let_through_and_the_sixth_is_not(now: datetime) -> None:
    fail(5, now=now)

    with pytest.raises(RateLimited) as refused:
        fail(1, now=now + timedelta(minutes=5))
    assert refused.value.facts["seconds"] == 600


def test_the_account_stays_usable_from_another_address(now: datetime) -> None:
    fail(5, now=now)

    fail(1, now=now, address=ELSEWHERE)


def test_another_account_stays_usable_from_this_address(now: datetime) -> None:
    fail(5, now=now)

    fail(1, now=now, username="ravi")


def test_capital_letters_do_not_make_another_account(now: datetime) -> None:
    fail(5, now=now)

    with pytest.raises(RateLimited):
        fail(1, now=now, username="ANANYA")


def test_twenty_tries_of_one_address_are_let_through_and_the_next_is_not(now: datetime) -> None:
    for number in range(20):
        fail(1, now=now, username=f"person {number}")

    with pytest.raises(RateLimited):
        fail(1, now=now, username="person 21")


def test_an_ipv6_network_counts_as_one_address(now: datetime) -> None:
    for number in range(5):
        fail(1, now=now, address=f"2001:db8:7:9:{number:x}::1")

    with pytest.raises(RateLimited):
        fail(1, now=now, address="2001:db8:7:9:ffff:ffff:ffff:ffff")
    fail(1, now=now, address="2001:db8:7:a::1")


def test_ipv4_written_as_ipv6_is_the_same_address(now: datetime) -> None:
    fail(5, now=now)

    with pytest.raises(RateLimited):
        fail(1, now=now, address=f"::ffff:{HERE}")


@pytest.mark.parametrize("address", ["", "unix:", "not an address"])
def test_what_is_no_address_is_counted_as_it_stands(now: datetime, address: str) -> None:
    fail(5, now=now, address=address)

    with pytest.raises(RateLimited):
        fail(1, now=now, address=address)


def test_after_fifteen_minutes_all_is_forgotten(now: datetime) -> None:
    fail(5, now=now)

    fail(1, now=now + throttle.WINDOW)
    assert LoginFailure.objects.count() == 1


def test_a_refused_try_does_not_prolong_the_wait(now: datetime) -> None:
    fail(5, now=now)
    for minute in range(1, 15):
        with pytest.raises(RateLimited):
            fail(1, now=now + timedelta(minutes=minute))

    fail(1, now=now + throttle.WINDOW)


def test_a_right_password_forgives_this_account_and_no_other(now: datetime) -> None:
    fail(3, now=now, username="ravi")
    fail(3, now=now)
    row = throttle.count_try(username="ananya", address=HERE, now=now)

    throttle.forgive(row)

    assert LoginFailure.objects.count() == 3


def test_no_name_is_written_down(now: datetime) -> None:
    fail(1, now=now, username="my secret password typed into the wrong field")

    assert "secret" not in str(LoginFailure.objects.values_list())
