"""Messages in records and files: what is written beside a sentence, and what a file that somebody edited may hold."""

from __future__ import annotations

from typing import Any

import pytest

from backups_app.messages import runs as messages
from backups_app.messages import stored
from backups_app.messages.message import PLAIN, Message, code_of, parts_of, together

WITH = together(messages.STOPPED_BY(by="ravi"), messages.COPY_REMOVED())


def test_a_record_keeps_its_sentences_and_is_read_as_messages() -> None:
    document = {
        "error_message": WITH,
        "steps": [{"name": "dump", "sentence": messages.NOT_BEGUN()}],
        "warnings": [messages.COPY_STAYS(), "The disk is old."],
        "purge": {"withheld": {"bookings": messages.SYNC_NOT_KNOWN()}},
    }

    written = stored.with_details(document)
    read = stored.restored(written)

    assert set(written["purge"]["withheld"]) == {"bookings"}
    assert set(written["purge"]) == {"withheld", "withheld_details"}
    assert written["error_message"] == "Stopped by ravi. The unfinished copy was removed."
    assert [type(value) for value in (written["error_message"], written["warnings"][0])] == [str, str]
    assert written["error_facts"] == {"by": "ravi"}
    assert [code_of(part) for part in parts_of(read["error_message"])] == ["stopped_by", "unfinished_copy_removed"]
    assert code_of(read["steps"][0]["sentence"]) == "not_begun"
    assert [code_of(one) for one in read["warnings"]] == ["unfinished_copy_stays", PLAIN]
    assert code_of(read["purge"]["withheld"]["bookings"]) == "sync_not_known"


def test_a_fact_that_no_record_can_hold_is_stored_as_its_text() -> None:
    sentence = messages.STOPPED_BY(by=ValueError("ravi"))

    assert stored.with_details({"warnings": [sentence]})["warning_details"][0]["facts"] == {"by": "ravi"}


def test_a_change_of_one_step_changes_its_code_too() -> None:
    assert stored.with_details({"steps.2.sentence": messages.NOT_BEGUN()}) == {
        "steps.2.sentence": "Not begun",
        "steps.2.code": "not_begun",
        "steps.2.facts": {},
    }


@pytest.mark.parametrize(
    "details",
    [None, 7, "text", {}, [], [7], [None], ["text"], [{}], [{"code": "sentences", "facts": {"parts": 7}}],
     [{"code": "sentences", "facts": {"parts": [7, {"a": 1}]}, "sentence": "It stopped"}],
     [{"code": 7, "facts": 7, "sentence": 7}], [{"code": "stopped_by", "facts": {}, "sentence": "It stopped"}],
     [{"code": ["a"], "facts": {"by": {}}, "sentence": "It stopped"}]],
)  # fmt: skip
def test_a_file_that_somebody_edited_is_read(details: Any) -> None:
    document = {
        "error_message": "It stopped", "error_details": details,
        "warnings": ["It stopped", 7, None, {}], "warning_details": details,
        "steps": [{"sentence": "It stopped", "code": "sentences", "facts": details}, details],
        "withheld": {"bookings": "It stopped"}, "withheld_details": {"bookings": details},
    }  # fmt: skip

    read = stored.restored(document)
    again = stored.with_details(read)

    for sentence in (
        read["error_message"],
        read["warnings"][0],
        read["steps"][0]["sentence"],
        read["withheld"]["bookings"],
    ):
        assert isinstance(sentence, str) and parts_of(sentence)
        assert not isinstance(sentence, Message) or sentence
    assert again["warnings"][1:] == [7, None, {}]
