"""What records say in English is told in the language of the page: names and numbers kept, the unknown left English."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.utils import translation

from backups_app.errors import DatabaseUnreachable, DiskFull, PairMismatch
from backups_app.pages.shared.told import tell, told


@pytest.fixture
def hindi() -> Iterator[None]:
    with translation.override("hi"):
        yield


def test_english_pages_say_what_the_record_says() -> None:
    with translation.override("en-in"):
        assert (
            told("Stopped by <ravi>. The purge deleted nothing.")
            == "Stopped by &lt;ravi&gt;. The purge deleted nothing."
        )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("bookings (1240 documents)", "bookings (1,240 documents)"),
        ("The sync before it pulled 14000 and pushed 6000 documents.",
         "The sync before it pulled 14,000 and pushed 6,000 documents."),
        ("12345 of 234567 documents vanished.", "12,345 of 2,34,567 documents vanished."),
        ("backup_20260119 holds 1,240 documents since 2026", "backup_20260119 holds 1,240 documents since 2026"),
    ],
)  # fmt: skip
def test_counts_are_grouped_in_english_too(said: str, shown: str) -> None:
    with translation.override("en-in"):
        assert tell(said) == shown


@pytest.mark.usefixtures("hindi")
class TestInHindi:
    def test_a_sentence_is_told(self) -> None:
        assert tell("Skipped: sync is off") == "छोड़ा गया: सिंक बंद है"

    def test_several_sentences_are_told_one_after_the_other(self) -> None:
        said = tell(
            "Stopped by ravi. The purge deleted nothing. The unfinished copy was removed. "
            "The sync before it pulled 14 and pushed 123456 documents."
        )

        assert said.startswith("ravi ने रोका।") and "1,23,456" in said
        assert not any(word in said for word in ("Stopped", "purge", "copy", "sync"))

    def test_a_sentence_inside_another_is_told_too(self) -> None:
        said = tell(f"Not protected: {DiskFull(needed='1.00 GB', free='3.00 MB').detail}")

        assert said.startswith("सुरक्षित नहीं: बैकअप डिस्क भर गई है: लगभग 1.00 GB चाहिए, 3.00 MB खाली है।")
        assert not any(word in said for word in ("full", "Free", "purge"))

    def test_a_list_is_told_item_by_item(self) -> None:
        assert tell("14 pulled, 6 pushed, 0 deleted, 1 conflict") == "14 Atlas से आए, 6 Atlas पर गए, 0 हटाए, 1 टकराव"

    def test_names_are_never_translated(self) -> None:
        assert tell('the collection "nothing" is missing') == 'संग्रह "nothing" नहीं है'
        assert tell("Deleted: activities 50, local 3") == "हटाए गए: activities 50, local 3"

    def test_a_name_in_another_script_hides_nothing(self) -> None:
        assert tell("A backup by रोहिणी is running") == "रोहिणी का बैकअप चल रहा है"

    def test_the_sides_are_named_as_the_pages_name_them(self) -> None:
        assert tell(DatabaseUnreachable(side="remote").detail).startswith("Atlas का MongoDB नहीं मिल रहा।")
        assert tell(DatabaseUnreachable(side="local").detail).startswith("इस कंप्यूटर का MongoDB नहीं मिल रहा।")

    def test_what_nobody_knows_stays_english_and_is_marked(self) -> None:
        assert told("A foreign <sentence>.") == '<span lang="en">A foreign &lt;sentence&gt;.</span>'

    def test_an_unknown_reason_is_marked_inside_a_known_sentence(self) -> None:
        said = told(PairMismatch(reason="of moonlight").detail)

        assert said.startswith(
            'इस कंप्यूटर और Atlas की यह वह जोड़ी नहीं जो पहले सिंक हुई थी: <span lang="en">of moonlight</span>।'
        )
        assert "Sync wrote" not in said

    def test_what_was_told_already_stays(self) -> None:
        once = told("Your data is protected.")

        assert told(once) == once == "आपका डेटा सुरक्षित है।"

    def test_a_very_long_text_is_not_searched(self) -> None:
        assert told("Deleted: " + "x. " * 100_000).startswith('<span lang="en">Deleted: x.')

    @pytest.mark.parametrize(
        "hostile", ["a: ", "1 added, ", "x; ", ". ", "Not protected: ", "1 documents ", "<b>", "\u2068"]
    )
    def test_what_a_foreign_folder_may_hold_is_told_in_time(self, hostile: str) -> None:
        began = time.process_time()  # its own work: a busy machine makes it no slower

        said = told((hostile * 2_000)[:1_999])

        assert "<b>" not in said
        assert time.process_time() - began < 2

    def test_nothing_is_nothing(self) -> None:
        assert told(None) == told("") == ""
