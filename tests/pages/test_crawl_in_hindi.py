"""As `test_crawl.py`, in Hindi: a file of its own, so that both languages are crawled at the same time."""

from __future__ import annotations

import pytest
from django.test import Client

from backups_app.configuration import Configuration
from tests.pages.test_crawl import demo, no_page_fails_before_and_after_a_deletion  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db


def test_no_page_fails_before_and_after_a_deletion_in_hindi(
    admin_browser: Client,
    demo: Configuration,  # noqa: F811
) -> None:
    no_page_fails_before_and_after_a_deletion(admin_browser, "hi")
