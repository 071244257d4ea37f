"""Which servers a MongoDB URL names, whatever else it says."""

from __future__ import annotations

import pytest

from backups_app import url_parts


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "mongodb://ravi:s%40cret@B.example:27018,a.example/temple?replicaSet=rs",
            ["a.example:27017", "b.example:27018"],
        ),
        ("mongodb://a.example:27017,b.example:27018", ["a.example:27017", "b.example:27018"]),
        ("mongodb+srv://ravi:secret@temple.mongodb.example/?retryWrites=true", ["temple.mongodb.example by DNS"]),
        ("mongodb://[::1]/", ["[::1]:27017"]),
        ("", []),
    ],
)
def test_servers_are_named_without_user_database_and_options(url: str, expected: list[str]) -> None:
    assert url_parts.servers(url) == expected
