"""docs/operations.md has one row for every error code, with the HTTP status and the exit code that it really has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backups_app import errors
from backups_app.api.shared.errors import SENTENCES
from backups_app.errors import PurgeUnfinished, RetentionFailed, TempleOpsError
from backups_app.runs.steps import sync

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
OF_A_RUN_ALONE = {sync.LEFT_OVER: ("–", "3"), RetentionFailed.code: ("–", "–")}
"""Warnings of a run: nobody is answered with them."""

ANSWERS_OF_PURGE_UNFINISHED = {("500", "3"), ("409", "1")}
"""A run that ended so, and the refusal to remove the backup that it needs."""

Numbers = tuple[str, str]


def kinds(kind: type[TempleOpsError] = TempleOpsError) -> Iterator[type[TempleOpsError]]:
    """Errors of the product; a base of several, which has no code of its own, is never raised."""
    if kind.__module__.startswith(f"{errors.__name__}.") and (
        kind is TempleOpsError or kind.code != TempleOpsError.code
    ):
        yield kind
    for more in kind.__subclasses__():
        yield from kinds(more)


def real() -> dict[str, Numbers]:
    answers = {code: (str(status), "1") for status, (code, _) in SENTENCES.items()}
    named = {kind.code: (str(kind.status), str(kind.exit_code)) for kind in kinds()}
    return answers | named | {PurgeUnfinished.code: ("500", "3")} | OF_A_RUN_ALONE


def rows() -> Iterator[tuple[str, Numbers]]:
    """Codes that share a row share its numbers, or have each their own in the same order."""
    table = PAGE.read_text(encoding="utf-8").partition("## Error codes")[2].partition("\n## ")[0]
    for line in table.splitlines():
        if line.startswith("| `"):
            names, statuses, exits = (cell.strip().split(", ") for cell in line.split("|")[1:4])
            codes = [name.strip("`") for name in names]
            yield from zip(codes, zip(_each(statuses, codes), _each(exits, codes), strict=True), strict=True)


def _each(numbers: list[str], codes: list[str]) -> list[str]:
    return numbers * len(codes) if len(numbers) == 1 else numbers


def test_every_error_code_has_one_row_and_no_row_is_left_over() -> None:
    reported = [code for code, _ in rows()]

    assert sorted(reported) == sorted(real())


def test_each_row_has_the_status_and_the_exit_code_of_its_error() -> None:
    assert {code: numbers for code, numbers in rows() if real()[code] != numbers} == {}


def test_errors_of_one_code_are_answered_alike() -> None:
    by_code: dict[str, set[Numbers]] = {}
    for kind in kinds():
        by_code.setdefault(kind.code, set()).add((str(kind.status), str(kind.exit_code)))

    assert by_code.pop(PurgeUnfinished.code) == ANSWERS_OF_PURGE_UNFINISHED
    assert {code: numbers for code, numbers in by_code.items() if len(numbers) > 1} == {}
