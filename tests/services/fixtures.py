"""The servers as fixtures of every test: started for the first one that asks, once in a process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backups_app.storage import object_store
from tests.services.azurite import Azurite, azurite
from tests.services.seaweed import Seaweed, seaweed


@pytest.fixture(scope="session")
def s3_server(memory_folder: Path) -> Iterator[Seaweed]:
    """A real S3 server."""
    folder = memory_folder / "seaweed"
    folder.mkdir()
    with seaweed(folder) as server:
        yield server


@pytest.fixture(scope="session")
def azure_server(memory_folder: Path) -> Iterator[Azurite]:
    """A real server that speaks as Azure Blob."""
    folder = memory_folder / "azurite"
    folder.mkdir()
    with azurite(folder) as server:
        yield server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up after two tries: what a test breaks stays broken."""
    backoff = {"init_backoff": timedelta(milliseconds=10), "max_backoff": timedelta(milliseconds=20), "base": 2}
    monkeypatch.setattr(
        object_store,
        "RETRIES",
        {"max_retries": 1, "retry_timeout": timedelta(seconds=5), "backoff": backoff},
    )
