"""The commands of retention: what they print, and with which exit code they refuse."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.retention.conftest import Temple


def message(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def printed(*arguments: str) -> Any:
    return json.loads(message(*arguments, "--json"))


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments, stdout=StringIO(), stderr=StringIO())
    return int(ended.value.code or 0)


def test_retention_is_off_until_somebody_sets_it(temple: Temple, newest: str) -> None:
    assert printed("backup_retention", "show") == {"on": False, "policy": None, "kept": [], "removed": []}
    assert "Retention is off" in message("backup_prune")

    answer = printed("backup_retention", "set", "--last", "2", "--weekly", "1")

    assert answer["policy"] == {"last": 2, "daily": 0, "weekly": 1, "monthly": 0, "yearly": 0}
    assert answer["on"] is True
    assert [one["backup_id"] for one in answer["kept"]] == [newest]
    assert printed("backup_retention", "off")["on"] is False


def test_a_policy_that_keeps_nothing_is_refused(temple: Temple) -> None:
    assert exit_code("backup_retention", "set") == 2
    assert exit_code("backup_retention", "set", "--last", "-1") == 2


def test_trying_rules_out_changes_nothing(temple: Temple, newest: str) -> None:
    old = temple.add(days=40.5)

    answer = printed("backup_retention", "simulate", "--last", "1")

    assert answer["removed"] == [{"backup_id": old, "reasons": ["policy"]}]
    assert answer["on"] is False
    assert "1 kept, 1 would be removed" in message("backup_retention", "simulate", "--last", "1")
    assert "The history shrinks from 40 days to less than a day." in message(
        "backup_retention", "simulate", "--last", "1"
    )


def test_prune_prints_what_it_keeps_and_removes(temple: Temple, newest: str) -> None:
    old = temple.add(days=40)
    call_command("backup_retention", "set", "--last", "1", stdout=StringIO())

    tried = printed("backup_prune", "--dry-run")
    done = printed("backup_prune")

    assert tried == done
    assert done["kept"][0]["backup_id"] == newest
    assert done["removed"] == [{"backup_id": old, "reasons": ["policy"]}]
    assert temple.in_trash() == {old}


def test_pin_and_remove_and_undo(temple: Temple) -> None:
    old = temple.add(days=40)

    assert printed("backup_pin", old, "--note", "the festival")["pinned"]["note"] == "the festival"
    assert exit_code("backup_remove", old, "--confirm", old) == 1
    message("backup_pin", old, "--unpin")
    assert exit_code("backup_remove", old, "--confirm", "no") == 2
    assert exit_code("backup_remove", "20010101_000000", "--confirm", "20010101_000000") == 10
    message("backup_remove", old, "--confirm", old)
    assert temple.in_trash() == {old}
    assert printed("backup_remove", old, "--undo") == {"backup_id": old, "brought_back": True, "pinned": False}
    assert exit_code("backup_remove", old, "--undo") == 10


def test_nothing_is_released_or_accepted_without_reason(temple: Temple, newest: str) -> None:
    assert exit_code("backup_retention", "release", newest, "--confirm", "no") == 2
    assert exit_code("backup_retention", "release", newest, "--confirm", newest) == 1
    assert exit_code("backup_retention", "accept", newest) == 1
