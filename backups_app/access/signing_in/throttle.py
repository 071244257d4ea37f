"""Slows down who guesses passwords, and only them: the account stays usable from elsewhere.

A try is counted before the password is looked at, and taken back when it was right: so fifty guesses sent at once
are five guesses, too.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.db.models import Min, QuerySet
from django.utils.crypto import salted_hmac

from backups_app.errors import RateLimited
from backups_app.models import LoginFailure

WINDOW = timedelta(minutes=15)
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 20


def count_try(*, username: str, address: str, now: datetime) -> LoginFailure:
    """Count one try. Return its row, for `forgive`. Raise RateLimited, counting nothing, when there were too many."""
    address = _network(address)
    LoginFailure.objects.filter(at__lte=now - WINDOW).delete()
    row = LoginFailure.objects.create(account=_account(username), address=address, at=now)
    of_address = LoginFailure.objects.filter(address=address)
    of_account = of_address.filter(account=row.account)
    for rows, most in ((of_account, PER_ACCOUNT_AND_ADDRESS), (of_address, PER_ADDRESS)):
        if rows.count() > most:
            row.delete()
            raise RateLimited(seconds=_seconds_left(rows, now))
    return row


def forgive(row: LoginFailure) -> None:
    """The password was right: forget this account's failures from this address."""
    LoginFailure.objects.filter(account=row.account, address=row.address).delete()


def _network(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or of IPv6 a whole /64, in which to count single addresses
    would count nothing. What is no address stays as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def _account(username: str) -> str:
    return salted_hmac("templeops.throttle", username.casefold(), algorithm="sha256").hexdigest()


def _seconds_left(rows: QuerySet[LoginFailure], now: datetime) -> int:
    oldest = rows.aggregate(at=Min("at"))["at"] or now
    return max(1, math.ceil((oldest + WINDOW - now).total_seconds()))
