"""`SYNC_EXCLUDE` names collections of every name that MongoDB takes, from the environment and from `.env`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from environs import Env

from backups_app import configuration
from templeops import environment
from tests import odd_names


def excluded(given: str) -> tuple[str, ...]:
    os.environ["SYNC_EXCLUDE"] = given
    env = Env(eager=False)
    found = configuration.read(env, base_dir=Path.cwd()).sync_exclude
    env.seal()
    return found


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a, b ,,a", ("a", "b")),
        ('["a,b", " halls "]', ("a,b", " halls ")),
        (' ["[x]"] ', ("[x]",)),
        ("[]", ()),
    ],
)
def test_names_between_commas_or_in_a_json_array(given: str, names: tuple[str, ...]) -> None:
    assert excluded(given) == names


def test_every_name_that_mongodb_takes_can_be_excluded() -> None:
    assert excluded(json.dumps(odd_names.ALL)) == odd_names.ALL


def test_a_line_of_env_may_hold_the_array(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('SYNC_EXCLUDE=["a,b", " halls "]\n')

    environment.load(base_dir=tmp_path)

    assert excluded(os.environ["SYNC_EXCLUDE"]) == ("a,b", " halls ")
