"""How the two servers are: whether they answer, what they are, and what they do not let us do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.errors import PyMongoError

from backups_app.configuration import Configuration
from backups_app.errors import DatabaseRefused, DatabaseUnreachable, RightMissing, TempleOpsError
from backups_app.mongo import availability, connections
from backups_app.mongo.refusals import refusals, rights
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.use_cases.readiness.readiness import Readiness

PROBE_SECONDS = 2.5
CLOCKS_APART_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whether a server answers, how fast, and what it is. `problem`: why it does not, or what it does not let us do."""

    reachable: bool
    problem: TempleOpsError | None = None
    latency_ms: float | None = None
    version: str = ""
    replica_set: bool = False
    clock_ahead_seconds: float = 0.0

    @property
    def is_silent(self) -> bool:
        """Whether it does not answer at all, and nobody knows why."""
        return not self.reachable and (self.problem is None or type(self.problem) is DatabaseUnreachable)


class ReachQuestion:
    """Atlas, asked in a thread of its own: how long it takes is no reason to wait for it after the local server."""

    def __init__(self, configuration: Configuration) -> None:
        self._answer: Reach | None = None
        self._thread = threading.Thread(target=self._ask, args=(configuration,), name="status-remote", daemon=True)
        if configuration.is_local and configuration.sync_enabled:
            self._thread.start()

    def answer(self) -> Reach | None:
        """Return what is known of Atlas; None where sync is off."""
        if self._thread.ident is not None:
            self._thread.join()
        return self._answer

    def _ask(self, configuration: Configuration) -> None:
        self._answer = _remote(configuration)


def _remote(configuration: Configuration) -> Reach:
    facts = None
    try:
        database = preparation.side(configuration, Side.REMOTE)
        with availability.asking(Side.REMOTE, configuration=configuration, seconds=PROBE_SECONDS, fresh=True):
            facts = connections.facts(database.client)
            connections.require_unsharded(database.client, side=Side.REMOTE)
            missing = rights.missing(database)
    except (PyMongoError, TempleOpsError) as error:
        named = error if isinstance(error, TempleOpsError) else DatabaseUnreachable(side=Side.REMOTE.value)
        return _reach(facts, problem=named)
    return _reach(facts, problem=_right_missing(Side.REMOTE, missing, configuration))


def local(looked: Readiness, configuration: Configuration) -> Reach:
    """Return how the local server is, from what readiness found."""
    refused = next((one for one in looked.refusals if isinstance(one, DatabaseUnreachable | DatabaseRefused)), None)
    return _reach(looked.local, problem=refused or _right_missing(Side.LOCAL, looked.missing_rights, configuration))


def _right_missing(side: Side, missing: Sequence[str], configuration: Configuration) -> RightMissing | None:
    if not missing:
        return None
    return RightMissing(
        side=side.value,
        variable=refusals.VARIABLE[side],
        what=missing[0],
        database=configuration.database_name,
    )


def _reach(facts: connections.ServerFacts | None, *, problem: TempleOpsError | None) -> Reach:
    if facts is None:
        return Reach(reachable=False, problem=problem)
    return Reach(
        reachable=True,
        problem=problem,
        latency_ms=facts.latency_ms,
        version=facts.version,
        replica_set=facts.replica_set,
        clock_ahead_seconds=facts.clock_ahead_seconds,
    )


def public(reach: Reach) -> dict[str, Any]:
    """Return a server as `GET /api/backup/status` shows it."""
    problem = reach.problem
    return {
        "reachable": reach.reachable,
        "latency_ms": reach.latency_ms,
        "version": reach.version,
        "problem": None if problem is None else problem.as_json(),
    }
