"""Comparing two backups: their collections, and the documents of one of them. Kept as numbers of documents."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backups_app import configuration
from backups_app.backup_files.digests.document_digests import Comparison
from backups_app.browsing.compare import compare
from backups_app.browsing.compare.compare import CollectionDifference
from backups_app.records import INTERNAL
from backups_app.runs import preparation
from backups_app.use_cases.lanes.kind import Arguments, Call, JobKind

LISTED = 50_000
"""So many differing documents of each kind are listed; all are counted."""
LISTS = ("changed", "only_a", "only_b")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The collections of two backups. `found`: the documents of the one that was asked for, the first of each kind;
    `totals`: how many of each kind there are."""

    rows: tuple[CollectionDifference, ...]
    found: Comparison | None
    totals: Mapping[str, int]


def arguments_of(*, a: str, b: str, collection: str) -> dict[str, Any]:
    """Return two backups, and the collection to list ("" for none), as a question to the lane."""
    return {"a": a, "b": b, "collection": collection}


def _make(call: Call) -> Compared:
    a, b, name = (str(call.arguments[key]) for key in ("a", "b", "collection"))
    store = preparation.store(configuration.current())
    rows = compare.of_backups(store=store, a=a, b=b, progress=call.progress)
    found = None
    if name:
        found = compare.of_collection(store=store, a=a, b=b, collection=name, progress=call.progress)
    return Compared(
        rows=tuple(row for row in rows if row.name not in INTERNAL),
        found=found,
        totals={kind: len(getattr(found, kind)) for kind in LISTS} if found else {},
    )


def _keep(compared: Compared) -> dict[str, Any]:
    found = compared.found
    return {
        "rows": [asdict(row) for row in compared.rows],
        "found": {kind: list(getattr(found, kind)[:LISTED]) for kind in LISTS} if found else None,
        "same": found.same if found else 0,
        "totals": dict(compared.totals),
    }


def _recall(_: Arguments, kept: Any) -> Compared:
    found = kept["found"]
    return Compared(
        rows=tuple(CollectionDifference(**row) for row in kept["rows"]),
        found=Comparison(
            only_a=array("I", found["only_a"]),
            only_b=array("I", found["only_b"]),
            changed=tuple((a, b) for a, b in found["changed"]),
            same=kept["same"],
        )
        if found
        else None,
        totals=kept["totals"],
    )


KIND: JobKind[Compared] = JobKind(name="comparison", make=_make, keep=_keep, recall=_recall)
