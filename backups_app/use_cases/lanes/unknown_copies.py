"""Looking for what no row knows at a target, and taking a copy in: both read at a target that may be slow."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.records import Origin
from backups_app.use_cases import copy_access
from backups_app.use_cases.copies import unknown
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.copies.unknown import Unknown, UnknownCopy
from backups_app.use_cases.lanes.kind import Arguments, Call, JobKind


def _found_at(call: Call) -> Unknown:
    target = str(call.arguments["target"])
    settings = configuration.current()
    return unknown.unknown_at(configuration=settings, target=target, now=timezone.now(), progress=call.progress)


def _take_in(call: Call) -> str:
    settings = configuration.current()
    return unknown.take_in(
        CopyRequest(configuration=settings, requested_by=call.by, origin=Origin(call.origin), now=timezone.now()),
        target=str(call.arguments["target"]),
        copy=str(call.arguments["copy"]),
        identities=copy_access.identities(settings),
        progress=call.progress,
    )


def _recalled(_: Arguments, kept: Any) -> Unknown:
    return Unknown(**{**kept, "copies": tuple(_copy(one) for one in kept["copies"])})


def _copy(kept: dict[str, Any]) -> UnknownCopy:
    at = kept["copied_at"]
    return UnknownCopy(**{**kept, "copied_at": None if at is None else datetime.fromisoformat(at)})


LOOK: JobKind[Unknown] = JobKind(
    name="unknown_copies",
    make=_found_at,
    keep=lambda found: formats.plain(asdict(found)),
    recall=_recalled,
    to_the_end=True,
)
TAKE_IN: JobKind[str] = JobKind(
    name="copy_taken_in", make=_take_in, keep=str, recall=lambda _, kept: str(kept), to_the_end=True
)
