"""A preview and the end of a restore, as JSON and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backups_app import formats
from backups_app.backup_files import extended_json
from backups_app.management.document_text import safe
from backups_app.records import RunDocument
from backups_app.restore.preview import CollectionPreview, Preview, Sample
from backups_app.workflow import outcome

_COUNTS = ("insert", "replace", "delete", "unchanged", "keep", "extra")


def preview_json(preview: Preview) -> dict[str, Any]:
    """Return a preview as plain JSON: choices, server, the hash to confirm, collections, what is left out."""
    return {
        **preview.choices.as_json(),
        "server": preview.server,
        "confirmation": preview.confirmation,
        "needs_phrase": preview.needs_the_phrase,
        "totals": {name: preview.total(name) for name in _COUNTS},
        "collections": [_collection_json(collection) for collection in preview.collections],
        "left_out": [vars(entry) for entry in preview.left_out],
        "insert_bytes": preview.insert_bytes,
    }


def preview_lines(preview: Preview) -> Iterator[str]:
    """Yield a preview for people."""
    where = "the temple's database" if preview.choices.in_place else "test copy"
    yield f"Backup {preview.choices.backup_id} -> {where} {preview.choices.target} on {preview.server}"
    yield f"{'collection':<32} {'add':>9} {'overwrite':>9} {'delete':>9} {'same':>9} {'kept':>9}"
    for entry in preview.collections:
        numbers = (entry.insert, entry.replace, entry.delete, entry.unchanged, entry.keep + entry.extra)
        yield f"{safe(entry.name):<32} " + " ".join(f"{formats.grouped(number):>9}" for number in numbers)
        yield from (f"    {said}" for said in _said(entry))
    for left in preview.left_out:
        yield f"Left out: {safe(left.name)} ({left.reason})" + (
            " --include-purged takes it." if left.emptied_by else ""
        )


def outcome_lines(run: RunDocument) -> Iterator[str]:
    """Yield the end of a restore: first what is safe, then what is not, then what to do."""
    yield outcome.message(run)
    for entry in run["restore"]["collections"]:
        said = [entry["withheld"], *entry["sentences"]]
        said += [f"{formats.grouped(reason['count'])}: {reason['reason']}" for reason in entry["reasons"]]
        yield from (f"  {safe(entry['name'])}: {safe(line)}" for line in said if line)
        for word in ("newer", "clashes", "refused", "differing"):
            if entry[word]["count"]:
                ids = ", ".join(safe(str(identity)) for identity in entry[word]["ids"][:10])
                yield f"  {safe(entry['name'])}, {word}: {formats.grouped(entry[word]['count'])} ({ids})"
    yield from run["warnings"]
    if run["kind"] == "restore" and run["restore"]["collections"]:
        yield f"Undo: manage.py backup_restore --undo {run['backup_id']}"


def _said(entry: CollectionPreview) -> list[str]:
    withheld = [f"nothing is done: {entry.withheld}"] if entry.withheld else []
    return withheld + (["is created"] if entry.creates else []) + [safe(problem) for problem in entry.problems]


def _collection_json(entry: CollectionPreview) -> dict[str, Any]:
    names = ("name", "type", "in_backup", "there_now", *_COUNTS, "creates", "withheld", "problems")
    return {name: getattr(entry, name) for name in names} | {"samples": [_sample_json(one) for one in entry.samples]}


def _sample_json(sample: Sample) -> dict[str, Any]:
    now, backup = (None if frame is None else extended_json.relaxed(frame) for frame in (sample.now, sample.backup))
    return {"action": sample.action, "now": now, "backup": backup}
