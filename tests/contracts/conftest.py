"""What the contract suites share: the golden database on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer

from . import golden


@pytest.fixture(scope="session")
def golden_db(local_server: EmbeddedServer) -> Iterator[Database[dict[str, Any]]]:
    """The fixture's database, loaded once. Nobody changes it."""
    with local_server.client() as client:
        golden.load(client[golden.NAME])
        yield client[golden.NAME]
        client.drop_database(golden.NAME)
