"""The commands of keys and fetching: exit codes, one JSON value, and a private key that is shown once or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.access.secrecy import redaction
from backups_app.configuration import Configuration
from backups_app.management.terminal import copies_text
from backups_app.models import AuditEvent, User
from backups_app.storage import encryption, key_proofs
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import site_content
from backups_app.use_cases.fetching.site import Site
from tests.fetching.conftest import KEY, Burn, Copied
from tests.storage import making

pytestmark = pytest.mark.django_db
Command = Callable[..., tuple[int, str, str]]


def command(*arguments: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "key.txt"
    path.write_text(f"# a key\n{KEY.private}\n")
    return str(path)


@pytest.fixture
def wrong_key_file(tmp_path: Path) -> str:
    path = tmp_path / "wrong.txt"
    path.write_text(encryption.new_key_pair().private)
    return str(path)


@pytest.fixture
def copied(burn: Burn) -> Iterator[Copied]:
    """One backup at the target `nas`, and the settings of a new machine."""
    found = burn([True])
    settings = TargetSettings(name="nas", kind="file", place=str(found.target.root))
    found.configuration = replace(found.configuration, targets=(settings,), copy_recipients=(KEY.public,))
    with override_settings(TEMPLEOPS=found.configuration):
        yield found


@pytest.mark.parametrize("private", ["", "--out"])
def test_a_new_pair_is_shown_once_or_written_to_a_private_file(
    configured: Configuration, tmp_path: Path, private: str
) -> None:
    path = tmp_path / "new.txt"

    code, out, _ = command("backup_keys", "new", *(["--out", str(path)] if private else []))

    assert code == 0
    assert "BACKUP_COPY_RECIPIENTS=age1" in out
    assert "BACKUP_COPY_RECIPIENTS = age1" in out  # for the .env of a new machine
    assert "MONGODB_LOCAL_URL = ____" in out and str(configured.local_url) not in out
    assert ("AGE-SECRET-KEY-1" in out) is not bool(private)
    if private:
        assert f"The private key stands in {path}, " in out
        assert path.stat().st_mode & 0o777 == 0o600
        (identity,) = encryption.read_identities(path)
        assert encryption.public_keys([identity])[0] in out


def test_a_new_key_is_added_to_the_present_ones(configured: Configuration) -> None:
    with override_settings(TEMPLEOPS=replace(configured, copy_recipients=(KEY.public,))):
        _, out, _ = command("backup_keys", "new")

    assert f"BACKUP_COPY_RECIPIENTS={KEY.public},age1" in out


def test_with_json_the_private_key_goes_into_the_file_alone(configured: Configuration, tmp_path: Path) -> None:
    path = tmp_path / "new.txt"

    refused, message, _ = command("backup_keys", "new", "--json")
    code, out, _ = command("backup_keys", "new", "--json", "--out", str(path))

    assert (refused, code) == (2, 0)
    assert "AGE-SECRET" not in message + out
    answer = json.loads(out)
    assert answer["recipients"] == [answer["public_key"]]


def test_a_key_file_is_never_overwritten(configured: Configuration, tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_text("something")

    code, *_ = command("backup_keys", "new", "--out", str(path))

    assert code == 2
    assert path.read_text() == "something"


def test_the_test_of_a_key_opens_a_copy_and_is_trusted(copied: Copied, key_file: str) -> None:
    code, out, _ = command("backup_keys", "test", "--identity", key_file, "--json")

    answer = json.loads(out)
    assert code == 0
    assert [(one["target"], one["backup_id"]) for one in answer["opened"]] == [("nas", copied.made[0])]
    assert key_proofs.opened_at([KEY.public]) is not None
    assert AuditEvent.objects.filter(action="copy_key.test", target="nas", result="opened").exists()


def test_the_test_of_a_wrong_key_is_refused_by_name(copied: Copied, wrong_key_file: str) -> None:
    code, out, _ = command("backup_keys", "test", "--identity", wrong_key_file, "--json")

    assert (code, json.loads(out)["code"]) == (14, "key_of_no_recipient")
    assert AuditEvent.objects.filter(action="copy_key.test", result="key_of_no_recipient").exists()
    assert key_proofs.opened_at([KEY.public]) is None


def test_a_test_of_a_key_without_any_target_is_on_record_as_refused(copied: Copied, key_file: str) -> None:
    with override_settings(TEMPLEOPS=replace(copied.configuration, targets=())):
        code, out, _ = command("backup_keys", "test", "--identity", key_file, "--json")

    assert (code, json.loads(out)["code"]) == (2, "no_target")
    assert AuditEvent.objects.filter(action="copy_key.test", target="", result="no_target").exists()


def test_a_key_of_the_recipients_that_opens_no_copy_yet_is_named(copied: Copied, wrong_key_file: str) -> None:
    public = encryption.public_keys(encryption.read_identities(Path(wrong_key_file)))
    with override_settings(TEMPLEOPS=replace(copied.configuration, copy_recipients=public)):
        code, out, _ = command("backup_keys", "test", "--identity", wrong_key_file, "--json")

    assert code == 10
    assert json.loads(out)["failed"][0]["code"] == "copy_not_found"


def test_what_is_at_a_target_is_listed_with_and_without_a_key(copied: Copied, key_file: str) -> None:
    closed = json.loads(command("backup_copies", "--from", "nas", "--json")[1])
    opened = json.loads(command("backup_copies", "--from", "nas", "--identity", key_file, "--json")[1])
    _, text, _ = command("backup_copies", "--from", "nas", "--identity", key_file)

    (row,) = closed
    assert (row["backup_id"], row["state"], row["encrypted"], row["error_code"]) == (
        copied.made[0], "complete", True, None,
    )  # fmt: skip
    assert row["bytes"] > 0 and row["recipients"] is None and row["holds"] is None
    assert opened[0]["recipients"] == [KEY.public]
    assert opened[0]["holds"] == {"bookings": 52, "employee_bookings": 12}
    assert "encrypted" in text and "holds 64 deleted documents" in text


def test_a_wrong_key_makes_a_copy_unknown(copied: Copied, wrong_key_file: str) -> None:
    (row,) = json.loads(command("backup_copies", "--from", "nas", "--identity", wrong_key_file, "--json")[1])

    assert (row["state"], row["error_code"]) == ("unknown", "wrong_key")


def test_fetching_prints_what_came_and_exits_by_what_went_wrong(
    copied: Copied, key_file: str, wrong_key_file: str
) -> None:
    wrong, message, _ = command("backup_fetch", "latest", "--from", "nas", "--identity", wrong_key_file, "--json")
    missing, nothing, _ = command("backup_fetch", "latest", "--from", "nas", "--json")
    absent, *_ = command("backup_fetch", "20200101_000000", "--from", "nas", "--identity", key_file)
    nowhere, *_ = command("backup_fetch", "latest", "--from", "other", "--identity", key_file)
    code, out, _ = command("backup_fetch", "latest", "--from", "nas", "--identity", key_file, "--json")

    assert (wrong, json.loads(message)["code"]) == (14, "wrong_key")
    assert (missing, json.loads(nothing)["code"]) == (14, "key_missing")
    assert (absent, nowhere, code) == (10, 10, 0)
    (row,) = json.loads(out)
    assert {name: row[name] for name in ("backup_id", "target", "state", "recipients", "error_code")} == {
        "backup_id": copied.made[0], "target": "nas", "state": "complete", "recipients": [KEY.public],
        "error_code": None,
    }  # fmt: skip


def test_the_key_of_the_setting_is_used_where_none_is_named(copied: Copied, key_file: str) -> None:
    with override_settings(TEMPLEOPS=replace(copied.configuration, copy_identity_file=Path(key_file))):
        code, out, _ = command("backup_fetch", "holders", "--from", "nas")

    assert (code, out.strip()) == (0, f"{copied.made[0]}: fetched and verified.")


def test_the_site_comes_with_its_word_and_says_what_to_do(copied: Copied, key_file: str, super_admin: User) -> None:
    making.copy_folder(
        copied.target,
        copied.burned / f"backup_{copied.made[0]}",
        recipients=[KEY.public],
        site=site_content.made(configuration=copied.configuration, now=making.COPIED_AT),
    )
    User.objects.all().delete()

    _, _, without = command("backup_fetch", "latest", "--from", "nas", "--identity", key_file)
    with override_settings(TEMPLEOPS=replace(copied.configuration, copy_recipients=())):
        _, _, message = command("backup_fetch", "latest", "--from", "nas", "--identity", key_file, "--site")

    assert "changepassword" not in without
    assert "People, without a password: ananya" in message
    assert "Before the next backup put this line into .env" in message
    assert f"BACKUP_COPY_RECIPIENTS={KEY.public}" in message
    assert User.objects.filter(username="ananya").exists()


@pytest.mark.parametrize(
    "ours, words, line",
    [
        ((), "without it no copies are made", "BACKUP_COPY_RECIPIENTS=age1a,age1b"),
        (("age1z", "age1b"), "to other keys too", "BACKUP_COPY_RECIPIENTS=age1z,age1b,age1a"),
        (("age1b", "age1z", "age1a"), "", ""),
    ],
)
def test_the_line_for_env_is_asked_for_only_where_keys_are_lacking(
    ours: tuple[str, ...], words: str, line: str
) -> None:
    site = Site(recipients=("age1a", "age1b"))

    lines = list(copies_text.site(site, recipients=ours))

    assert (words in lines[0], lines[1]) == (True, line) if words else lines == []


def test_no_private_key_stays_in_a_log_line(copied: Copied) -> None:
    message: Any = redaction.scrub(f"failed with {KEY.private} and {KEY.private.lower()}")

    assert KEY.private not in message and KEY.private.lower() not in message
