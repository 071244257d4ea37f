"""Why a server cannot be used: that it is silent, or what it answered."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string

from backups_app.errors import DatabaseUnreachable, ReplicaSetUnknown, TempleOpsError
from backups_app.use_cases.readiness.reach import Reach


@pytest.mark.parametrize("problem", [None, DatabaseUnreachable(side="remote")])
def test_a_server_that_does_not_answer(problem: TempleOpsError | None) -> None:
    shown = render_to_string("home/_reach.html", {"reach": Reach(reachable=False, problem=problem)})

    assert "Not reachable" in shown and "No answer within 3 s" in shown


def test_a_server_that_answers_and_cannot_be_used() -> None:
    problem = ReplicaSetUnknown(side="remote", variable="MONGODB_CLOUD_URL")

    shown = render_to_string("home/_reach.html", {"reach": Reach(reachable=False, problem=problem)})

    assert "Not usable" in shown and "it is not a member of the replica set" in shown
    assert "No answer" not in shown
