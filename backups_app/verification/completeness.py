"""Does a copy hold what the database held? Compared with what the server stated before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from backups_app.backup_files.dump_folder import Held
from backups_app.errors import VerificationFailed
from backups_app.messages import verification as messages
from backups_app.messages import words
from backups_app.records import CollectionInfo

_TOLERATED_SHARE = 0.01
_TOLERATED = 10


class Expectation(Protocol):
    """What a dump engine reported of its copy (`dump/report.py`)."""

    @property
    def expected(self) -> Sequence[CollectionInfo]: ...

    @property
    def after(self) -> Sequence[CollectionInfo]: ...

    @property
    def deleted_meanwhile(self) -> int | None: ...

    @property
    def digests(self) -> Mapping[str, tuple[int, str]]: ...


def check_collections(*, report: Expectation, held: Sequence[Held], strange: Sequence[str]) -> None:
    """Raise `VerificationFailed` when a collection is missing, was dropped, renamed or made again while the copy was
    made, lacks its file, or when something lies there that nobody expected."""
    by_name = {one.name: one for one in held}
    after = {info.name: info for info in report.after}
    for info in report.expected:
        _check_one(info, by_name.get(info.name), after.get(info.name))
    unknown = sorted(by_name.keys() - {info.name for info in (*report.expected, *report.after)})
    if unknown or strange:
        raise VerificationFailed(problem=messages.HOLDS_SOMETHING_ELSE(name=[*unknown, *strange][0]))


def _check_one(info: CollectionInfo, held: Held | None, after: CollectionInfo | None) -> None:
    if held is None:
        raise VerificationFailed(problem=messages.COLLECTION_MISSING(name=info.name))
    if after is None or after.uuid != info.uuid or after.type != info.type:
        raise VerificationFailed(problem=messages.COLLECTION_DROPPED_MEANWHILE(name=info.name))
    if held.type != info.type:
        raise VerificationFailed(
            problem=messages.SAVED_AS_ANOTHER_TYPE(
                name=info.name, saved_as=words.collection_type(held.type), type=words.collection_type(info.type)
            )
        )
    if info.type != "view" and held.file is None:
        raise VerificationFailed(problem=messages.DOCUMENTS_MISSING(name=info.name))
    if held.metadata is None:
        raise VerificationFailed(problem=messages.OPTIONS_INDEXES_MISSING(name=info.name))
    if held.uuid != info.uuid:
        raise VerificationFailed(problem=messages.SAVED_FROM_ANOTHER_COLLECTION(name=info.name))


def check_counts(*, report: Expectation, documents: Mapping[str, int]) -> tuple[str, ...]:
    """Given the documents found in each file, return warnings.

    A scan sees at least the fewer of those before and after, less what was deleted meanwhile. Raise
    `VerificationFailed` below that. Where the server would not report how many it deleted, a small shortfall is only
    warned of.
    """
    warnings = []
    after = {info.name: info.documents for info in report.after}
    for info in report.expected:
        found, then = documents.get(info.name), after.get(info.name)
        if found is None or info.documents is None or then is None:
            continue
        floor = min(info.documents, then)
        missing = floor - found
        if missing <= 0 or missing <= (report.deleted_meanwhile or 0):
            continue
        sentence = messages.TOO_FEW_DOCUMENTS(name=info.name, found=found, floor=floor)
        if report.deleted_meanwhile is None and missing <= max(_TOLERATED, int(floor * _TOLERATED_SHARE)) and found:
            warnings.append(sentence)
        else:
            raise VerificationFailed(problem=sentence)
    return tuple(warnings)
