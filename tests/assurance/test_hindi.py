"""Every sentence of the card has its Hindi, with the same places."""

from __future__ import annotations

import pytest

from backups_app.messages.message import PLACE, Sentence
from backups_app.messages.protection import assurance, attention
from tests.static_parts.test_translations import compiled

SENTENCES = [one for module in (assurance, attention) for one in vars(module).values() if isinstance(one, Sentence)]


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: str(sentence.code))
def test_every_sentence_has_its_hindi(sentence: Sentence) -> None:
    hindi = compiled().get(sentence.one, "")

    assert hindi
    assert set(PLACE.findall(hindi)) == set(PLACE.findall(sentence.one))
