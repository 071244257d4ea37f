"""The settings of the product, with passwords hashed at the least cost: dozens of tests sign in."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher

from templeops.settings import *  # noqa: F403


class QuickHasher(Argon2PasswordHasher):
    """The same function at its least cost."""

    time_cost, memory_cost, parallelism = 1, 8, 1


PASSWORD_HASHERS = ["tests.browser.settings.QuickHasher"]
