"""Previews of restores. A kept one holds counts, ids and sentences; its samples are read again when it is shown.

A preview writes nothing, and what is confirmed is its hash, not what is kept here.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from backups_app import configuration
from backups_app.messages import stored
from backups_app.restore import choices as chosen
from backups_app.restore.choices import Choices
from backups_app.restore.plan import LeftOut
from backups_app.restore.preview import PreviewedCollection, RestorePreview, Sample
from backups_app.use_cases.lanes import jobs, samples
from backups_app.use_cases.lanes.kind import Arguments, Call, JobKind
from backups_app.use_cases.restores import restores


def arguments_of(choices: Choices) -> dict[str, Any]:
    """Return the choices as a question to the lane."""
    return choices.as_json()


def forget_all() -> None:
    """Something was written: no preview is true any more."""
    jobs.forget_kind(KIND.name)


def _make(call: Call) -> RestorePreview:
    choices = chosen.from_json(call.arguments)
    return restores.preview_restore(configuration=configuration.current(), choices=choices, progress=call.progress)


def _keep(preview: RestorePreview) -> dict[str, Any]:
    return {
        "server": preview.server,
        "confirmation": preview.confirmation,
        "collections": [stored.with_details(_collection(one)) for one in preview.collections],
        "left_out": [stored.with_details(asdict(one)) for one in preview.left_out],
        "insert_bytes": preview.insert_bytes,
        "disk_free_bytes": preview.disk_free_bytes,
    }


def _collection(entry: PreviewedCollection) -> dict[str, Any]:
    plain = {name: value for name, value in vars(entry).items() if name != "samples"}
    shown = [{"action": one.action, "id": one.raw_id.hex(), "number": one.number} for one in entry.samples]
    return plain | {"samples": shown}


def _recall(arguments: Arguments, kept: Any) -> RestorePreview:
    choices = chosen.from_json(arguments)
    preview = RestorePreview(
        choices=choices,
        server=kept["server"],
        confirmation=kept["confirmation"],
        collections=tuple(_recalled(one) for one in kept["collections"]),
        left_out=tuple(LeftOut(**_fields(one, LeftOut)) for one in kept["left_out"]),
        insert_bytes=kept["insert_bytes"],
        disk_free_bytes=kept["disk_free_bytes"],
    )
    samples.read_again(configuration=configuration.current(), preview=preview)
    return preview


def _recalled(kept: dict[str, Any]) -> PreviewedCollection:
    fields = _fields(kept, PreviewedCollection)
    shown = [
        Sample(action=one["action"], now=None, backup=None, raw_id=bytes.fromhex(one["id"]), number=one["number"])
        for one in kept["samples"]
    ]
    return replace(PreviewedCollection(**{**fields, "samples": []}), samples=shown)


def _fields(kept: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return what belongs to the dataclass: the details of its sentences stand beside them."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return {name: value for name, value in stored.restored(kept).items() if name in names}


KIND: JobKind[RestorePreview] = JobKind(name="restore_preview", make=_make, keep=_keep, recall=_recall)
