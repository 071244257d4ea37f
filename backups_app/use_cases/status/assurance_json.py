"""The conclusion as `GET /api/backup/status` and `backup_status --json` show it (`assurance`)."""

from __future__ import annotations

from typing import Any

from backups_app import formats
from backups_app.assurance.evidence import Finding, Rehearsal
from backups_app.assurance.marks import Mark
from backups_app.assurance.sentence import Assurance, SentencePart


def public(concluded: Assurance) -> dict[str, Any]:
    """Return the code, the sentence, the four marks and what is measured, as plain JSON."""
    window = concluded.loss.window
    return {
        "code": concluded.code,
        "sentence": concluded.sentence,
        "marks": {mark.name: _mark_json(mark) for mark in concluded.marks},
        "next_steps": [_step(step) for step in concluded.steps],
        "attention": [_finding(finding) for finding in concluded.attention],
        "loss_window_seconds": None if window is None else round(window.total_seconds()),
        "loss_documents": concluded.loss.known_documents,
        "loss_everything": concluded.loss.everything,
        "last_restore_seconds": None if concluded.restore_seconds is None else round(concluded.restore_seconds, 1),
        "restore_test": None if concluded.rehearsal is None else _restore_test(concluded.rehearsal),
    }


def _mark_json(mark: Mark) -> dict[str, Any]:
    return {
        "ok": mark.ok,
        "since": formats.plain(mark.since),
        "evidence": mark.evidence.english,
        "missing_code": mark.missing_code,
    }


def _restore_test(test: Rehearsal) -> dict[str, Any]:
    """Return which backup the last restore test that holds restored, and how many newer ones there are."""
    return {
        "at": formats.plain(test.at),
        "backup_id": test.backup_id,
        "backup_at": formats.plain(test.backup_at),
        "target": test.target or None,
        "newer_backups": test.newer,
    }


def _step(step: SentencePart) -> dict[str, Any]:
    return {
        "code": step.message.code,
        "sentence": step.message.english,
        "next_step": step.next_step.value,
        "hint": step.hint.english if step.hint else "",
    }


def _finding(finding: Finding) -> dict[str, Any]:
    sentence = finding.message.english
    return {
        "code": finding.message.code,
        "sentence": sentence[:1].upper() + sentence[1:],
        "hint": finding.hint.english if finding.hint else "",
        "backup_id": finding.backup_id or None,
    }
