"""Afterwards: is every document what was planned? Hash by hash, none averaged away. Pure."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

from backups_app.backup_files.digests.document_digests import DRAWERS, DocumentDigests
from backups_app.restore import work as works
from backups_app.restore.work import DocumentActions


@dataclass(kw_only=True)
class Proof:
    """`differing` numbers documents of the backup that were to be put in place and are not what was planned;
    `undeleted` counts those that were to go and are there. `edited` counts documents that we did not touch and that
    others changed, `appeared` those that came meanwhile: both belong to the one who wrote them."""

    matching: int = 0
    differing: array[int] = field(default_factory=lambda: array("I"))
    undeleted: int = 0
    edited: int = 0
    appeared: int = 0


class Expected(NamedTuple):
    """What the state afterwards is held against: the backup, the state before, the decisions, and the identities of
    the documents that were already reported."""

    wanted: DocumentDigests
    before: DocumentDigests
    work: DocumentActions
    handled: set[bytes]


def prove(expected: Expected, *, after: DocumentDigests) -> Proof:
    """Given what was planned and the state afterwards, compare every document."""
    wanted, before, work, handled = expected
    proof = Proof()
    for drawer in range(DRAWERS):
        now = {identity: content for identity, content, _ in after.records(drawer)}
        old = {identity: content for identity, content, _ in before.records(drawer)}
        for identity, content, number in wanted.records(drawer):
            if work.actions[number] in (works.OLDER, works.UNASKED):
                continue
            _prove_document(
                proof,
                work.actions[number],
                number,
                content,
                old.pop(identity, None),
                now.pop(identity, None),
                identity in handled,
            )
        if work.alone:  # what becomes of all others is nobody's question
            continue
        for identity, content in old.items():
            _prove_extra(proof, work.delete_extra, content, now.pop(identity, None), identity in handled)
        proof.appeared += sum(identity not in handled for identity in now)
    proof.differing = array("I", sorted(proof.differing))
    return proof


def _prove_document(
    proof: Proof, action: int, number: int, content: bytes, old: bytes | None, now: bytes | None, handled: bool
) -> None:
    expected = old if action == works.KEEP else content
    if now == expected:
        proof.matching += 1
    elif handled:
        return
    elif action in (works.INSERT, works.REPLACE):
        proof.differing.append(number)
    else:
        proof.edited += 1


def _prove_extra(proof: Proof, deleted: bool, content: bytes, now: bytes | None, handled: bool) -> None:
    if deleted:
        proof.undeleted += now == content and not handled
        proof.edited += now not in (None, content) and not handled
    elif now == content:
        proof.matching += 1
    else:
        proof.edited += not handled
