"""A message is a code and facts: rendered in English, stored, read back, rendered in another language."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from backups_app.messages import message, read_back
from backups_app.messages.message import Sentence


@pytest.fixture
def sentences() -> Iterator[tuple[Sentence, Sentence]]:
    done = Sentence("test_done", "{collections} copied to {place}.")
    counted = Sentence("test_collections", "{n} collection", "{n} collections")
    yield done, counted
    for code in (done.code, counted.code):
        message.DECLARED.pop(code)


@pytest.mark.parametrize(("n", "text"), [(0, "0 collections"), (1, "1 collection"), (100000, "1,00,000 collections")])
def test_a_count_decides_the_form_and_is_grouped(sentences: tuple[Sentence, Sentence], n: int, text: str) -> None:
    done, counted = sentences

    assert done(collections=counted(n=n), place="the disk").english == f"{text} copied to the disk."


def test_a_stored_message_is_rendered_again_from_its_facts(sentences: tuple[Sentence, Sentence]) -> None:
    done, counted = sentences
    stored = json.loads(json.dumps(done(collections=counted(n=2), place="the disk").as_document()))

    again = read_back.from_document(stored)
    hindi = {"test_done": "{place}: {collections}", "test_collections": "{n} संग्रह"}

    assert stored["sentence"] == "2 collections copied to the disk."
    assert message.render(again, translate=lambda sentence, n: hindi[sentence.code]) == "the disk: 2 संग्रह"


def test_a_record_with_an_unknown_code_keeps_its_sentence() -> None:
    stored = {"code": "from_a_newer_version", "facts": {"n": 2}, "sentence": "Two of something."}

    assert read_back.from_document(stored).english == "Two of something."


def test_a_record_that_lacks_a_fact_keeps_its_sentence(sentences: tuple[Sentence, Sentence]) -> None:
    stored = {"code": "test_done", "facts": {"place": "the disk"}, "sentence": "Copied."}

    assert read_back.from_document(stored).english == "Copied."


def test_a_name_with_braces_is_shown_as_it_is(sentences: tuple[Sentence, Sentence]) -> None:
    done, counted = sentences

    text = done(collections=counted(n=1), place="{n} {collections} {0}").english

    assert text == "1 collection copied to {n} {collections} {0}."


def test_several_messages_at_one_place_are_a_list(sentences: tuple[Sentence, Sentence]) -> None:
    done, counted = sentences

    assert (
        done(collections=(counted(n=1), counted(n=2)), place="x").english == "1 collection, 2 collections copied to x."
    )


def test_a_place_without_a_fact_is_a_defect_found_where_it_is_made(sentences: tuple[Sentence, Sentence]) -> None:
    with pytest.raises(ValueError, match="lacks place"):
        sentences[0](collections="2 collections")


def test_two_sentences_never_have_one_code(sentences: tuple[Sentence, Sentence]) -> None:
    with pytest.raises(ValueError, match="test_done"):
        Sentence("test_done", "Something else.")
