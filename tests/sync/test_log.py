"""`sync_logs` and progress report the truth: what a command listener counts, how a proof ended, what moved which
way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient, monitoring

from backups_app.catalog.sync import sync_conflicts, sync_logs
from backups_app.mongo import command_counter
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.records import Side
from tests.sync.pairs import Pair, document, first_documents, int32, seed, state_pairs, version


class Written(monitoring.CommandListener):
    """Counts commands, and the documents of the temple that the server says were written."""

    def __init__(self) -> None:
        self.commands = 0
        self.pending: dict[int, str] = {}
        self.count = {"insert": 0, "update": 0, "delete": 0}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands += 1
        if event.command_name in self.count and event.command[event.command_name] == "bookings":
            self.pending[event.request_id] = event.command_name

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        if event.request_id in self.pending:
            self.count[self.pending.pop(event.request_id)] += event.reply["n"]

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self.pending.pop(event.request_id, None)


@pytest.fixture
def heard(
    any_pair: Pair, request: pytest.FixtureRequest, remote_server: EmbeddedServer
) -> Iterator[tuple[Pair, dict[Side, Written]]]:
    """A synced pair with all rows of the table laid out, and who listens to every command of the sync."""
    seed(any_pair, list(first_documents()))
    any_pair.sync()
    state_pairs(any_pair)
    here: EmbeddedServer = request.getfixturevalue("local_server" if any_pair.has_transactions else "standalone_server")
    uris = {Side.LOCAL: here.uri, Side.REMOTE: remote_server.uri}
    listeners = {side: Written() for side in Side}
    clients = {
        side: MongoClient[dict[str, Any]](uris[side], event_listeners=[command_counter.LISTENER, listeners[side]])
        for side in Side
    }
    for client in clients.values():
        client.admin.command("ping")
    name = any_pair.local.name
    yield replace(any_pair, local=clients[Side.LOCAL][name], remote=clients[Side.REMOTE][name]), listeners
    for client in clients.values():
        client.close()


def test_the_log_counts_what_a_listener_counts(heard: tuple[Pair, dict[Side, Written]]) -> None:
    pair, listeners = heard
    before = {side: listeners[side].commands for side in Side}

    log = pair.sync().log

    for side, written, deleted in ((Side.LOCAL, "pulled", "deleted_local"), (Side.REMOTE, "pushed", "deleted_remote")):
        count = listeners[side].count
        assert (log["totals"][written], log["totals"][deleted]) == (count["insert"] + count["update"], count["delete"])
        assert count["insert"] and count["update"] and count["delete"]
    commands = {side: listeners[side].commands - before[side] for side in Side}
    assert log["round_trips"]["remote"] == commands[Side.REMOTE]
    assert log["round_trips"]["local"] == commands[Side.LOCAL] - OWN_COMMANDS
    assert log["totals"]["conflicts"] == len([one for one in _kept(pair) if one["reason"] == "conflict"])
    assert log["bytes"] == log["totals"]["size_bytes"] > 0


OWN_COMMANDS = 3
"""The log is begun, its collection's neighbour has an index, the log is ended: before and after counting."""


def _kept(pair: Pair) -> list[dict[str, Any]]:
    return list(sync_conflicts.collection(pair.local).find({}, {"reason": 1}))


def test_every_collection_has_its_line_with_what_was_skipped_and_why(any_pair: Pair) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL])
    seed(any_pair, [version(1)], sides=[Side.LOCAL], name="secret")
    seed(any_pair, [version(1), version(2)], sides=[Side.REMOTE], name="halls")
    any_pair.application[Side.LOCAL].create_collection("today", viewOn="bookings", pipeline=[])

    log = any_pair.sync(exclude=frozenset({"secret"})).log

    lines = {one["name"]: one for one in log["collections"]}
    assert {name: (one["pulled"], one["pushed"], one["skipped"]) for name, one in lines.items()} == {
        "bookings": (0, 1, None),
        "halls": (2, 0, None),
        "secret": (0, 0, "excluded by SYNC_EXCLUDE"),
        "today": (0, 0, "a view holds no documents of its own"),
    }
    assert all(one["seconds"] >= 0 for one in lines.values())
    assert (lines["bookings"]["created_on"], lines["halls"]["created_on"]) == ("remote", "local")
    stored = sync_logs.newest(any_pair.local, limit=1)[0]
    assert {one["name"] for one in stored["collections"]} == set(lines)


def test_progress_says_each_collection_and_direction(any_pair: Pair) -> None:
    moved: Counter[str] = Counter()

    class Listening(Silent):
        def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
            moved[label] += count

    seed(any_pair, [document(("_id", int32(key))) for key in range(5)])
    any_pair.sync()
    seed(any_pair, [version(key) for key in range(10, 13)], sides=[Side.LOCAL])
    seed(any_pair, [version(key) for key in range(20, 22)], sides=[Side.REMOTE], name="halls")
    any_pair.delete(Side.REMOTE, 1)

    any_pair.sync(progress=Listening())

    by_direction = {label: count for label, count in moved.items() if label.endswith("Atlas")}
    assert by_direction == {"bookings → Atlas": 3, "bookings ← Atlas": 1, "halls ← Atlas": 2}
