"""Files with secrets are for their owner only: made so, kept so, and named where they are not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backups_app import checks
from backups_app.access.secrecy import private_files
from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.use_cases.doctor import doctor, doctor_looks

ROOT = Path(__file__).resolve().parents[2]
NAMES = (".env", ".secret_key", ".audit_key", "db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "db.sqlite3-journal")


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose files everybody may read."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}
    reported = SimpleNamespace(BASE_DIR=tmp_path, DATABASES={"default": database})
    monkeypatch.setattr(private_files, "settings", reported)
    for name in NAMES:
        (tmp_path / name).touch(mode=0o644)
        (tmp_path / name).chmod(0o644)
    return tmp_path


def test_the_check_names_each_loose_file_with_the_command(installation: Path) -> None:
    sentences = checks.secrets_are_private()

    assert [one.hint for one in sentences] == [f"chmod 600 {installation / name}" for name in NAMES]
    assert {one.id for one in sentences} == {"templeops.W007"}
    assert ".env can be read by others (mode 644)" in str(sentences[0].msg)


@pytest.mark.django_db
def test_the_doctor_names_each_loose_file_with_the_command(installation: Path) -> None:
    found = doctor.examine(configuration=Configuration(primary_database="cloud"))

    assert [one.fix for one in found if one.subject == "permissions"] == [
        f"chmod 600 {installation / name}" for name in NAMES
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("installation")
def test_the_doctor_s_commands_mend_the_backup_folder_from_wherever_they_are_typed(tmp_path: Path) -> None:
    folder = tmp_path / "the temple's backups"
    folder.mkdir()
    (folder / "left").touch()
    folder.chmod(0o755)
    (folder / "left").chmod(0o644)

    found = loose_in(folder)
    for one in found:
        subprocess.run(["sh", "-c", one.fix], cwd="/", check=True)

    assert [one.sentence for one in found] == [
        "The backup folder can be read by others (mode 755).",
        "left in the backup folder can be read by others (mode 644).",
    ]
    assert loose_in(folder) == []


def loose_in(folder: Path) -> list[doctor_looks.DoctorFinding]:
    found = doctor.examine(configuration=Configuration(backup_dir=folder))
    return [one for one in found if "in the backup folder" in one.sentence or "The backup folder" in one.sentence]


@pytest.mark.django_db
def test_the_doctor_names_an_audit_key_that_differs_from_another_host_s(settings: Any) -> None:
    audit.record(actor="ravi", origin="web", action="login", result="success", now=datetime.now(UTC))
    settings.AUDIT_KEY = "another-key-" * 6

    found = doctor.examine(configuration=Configuration(primary_database="cloud"))

    assert [one.fix for one in found if one.subject == "audit"] == [doctor_looks.AUDIT_KEY_FIX]


def test_a_server_makes_them_private_when_it_starts(installation: Path) -> None:
    assert private_files.tighten() == []

    assert {stat.S_IMODE((installation / name).stat().st_mode) for name in NAMES} == {0o600}
    assert checks.secrets_are_private() == []


@pytest.mark.parametrize("how", ["manage.py", "wsgi"])
def test_what_is_made_is_private_whatever_the_umask(tmp_path: Path, how: str) -> None:
    """The commands of the README, and gunicorn's way in, for somebody with the usual umask."""
    database = tmp_path / "temple.sqlite3"
    code = "import templeops.wsgi; from django.core.management import call_command; call_command('migrate')"
    command = ["manage.py", "migrate"] if how == "manage.py" else ["-c", code]
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}

    subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=True, capture_output=True, umask=0o022, timeout=120,
        env={**clean, "DATABASE_URL": f"sqlite:///{database}", "SECRET_KEY": "k3y" + "0123456789abcdef" * 4,
             "AUDIT_KEY": "4ud1t" + "0123456789abcdef" * 4},
    )  # fmt: skip

    made = list(tmp_path.iterdir())
    assert database in made
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
