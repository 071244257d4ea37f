"""Where settings come from, and that the demo never mixes with a real temple."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path

import pytest

from templeops import environment

ROOT = Path(__file__).resolve().parents[2]
DEMO = "TEMPLEOPS_DEMO=true\nMONGODB_LOCAL_URL=mongodb://demo/\nDATABASE_URL=sqlite:///demo\nALLOW_PLAIN_HTTP=true\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the leavings of `make run`, and an environment that says nothing."""
    monkeypatch.setattr(os, "environ", {})
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "env").write_text(DEMO)
    return tmp_path


def test_other_commands_find_the_servers_of_make_run(project: Path) -> None:
    environment.load(base_dir=project)

    assert os.environ["MONGODB_LOCAL_URL"] == "mongodb://demo/"
    assert os.environ["TEMPLEOPS_DEMO"] == "true"


@pytest.mark.parametrize(
    "line", ["MONGODB_LOCAL_URL=mongodb://h/", "MONGODB_CLOUD_URL=mongodb://h/", "DATABASE_URL=postgres://h/n"]
)
def test_whatever_database_env_names_the_demo_stays_away(project: Path, line: str) -> None:
    (project / ".env").write_text(line)

    environment.load(base_dir=project)

    assert _stated() == dict([line.split("=", 1)])


def test_the_environment_wins_over_env(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "MONGODB_LOCAL_URL", "mongodb://from-the-environment/")
    (project / ".env").write_text("MONGODB_LOCAL_URL=mongodb://from-the-file/\nDATABASE_NAME=other\n")

    environment.load(base_dir=project)

    assert _stated() == {"MONGODB_LOCAL_URL": "mongodb://from-the-environment/", "DATABASE_NAME": "other"}


def test_an_empty_value_is_as_good_as_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DATABASE_URL", "")
    (project / ".env").write_text("MONGODB_LOCAL_URL=\nDATABASE_NAME=\n")

    environment.load(base_dir=project)

    assert os.environ["DATABASE_URL"] == "sqlite:///demo"
    assert "DATABASE_NAME" not in os.environ


def test_a_password_with_a_dollar_stays_as_it_is(project: Path) -> None:
    (project / ".env").write_text("MONGODB_LOCAL_URL='mongodb://u:a${b}$c@h/'\n")

    environment.load(base_dir=project)

    assert os.environ["MONGODB_LOCAL_URL"] == "mongodb://u:a${b}$c@h/"


def _stated() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def test_env_example_explains_every_setting_that_is_read() -> None:
    sources = [ROOT / "backups_app" / "configuration.py", ROOT / "templeops" / "settings.py"]
    read = {name for path in sources for name in re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', path.read_text())}
    lines = (ROOT / ".env.example").read_text().splitlines()
    explained = {line.partition("=")[0] for before, line in itertools.pairwise(lines)
                 if re.match(r"[A-Z_]+=", line) and before.startswith("# ")}  # fmt: skip

    assert read - {"TEMPLEOPS_DEMO"} == explained


def test_an_empty_value_of_any_setting_and_spaces_around_one_count_for_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment.KNOWN:
        monkeypatch.setitem(os.environ, name, " ")
    monkeypatch.setitem(os.environ, "LEASE_SECONDS", "30\n")
    (project / ".env").write_text(
        'DATABASE_NAME="  "\nTIME_ZONE=" Asia/Kolkata "\nMONGODB_LOCAL_URL="mongodb://h/\\n"\n'
    )

    environment.load(base_dir=project)

    assert _stated() == {"LEASE_SECONDS": "30", "TIME_ZONE": "Asia/Kolkata", "MONGODB_LOCAL_URL": "mongodb://h/\n"}


def test_every_setting_of_the_example_is_tidied() -> None:
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert named <= set(environment.KNOWN)
