"""A preview and the end of a restore, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from backups_app import formats
from backups_app.catalog.run.run_record import RunRecord
from backups_app.management.terminal.document_text import safe
from backups_app.restore.preview import PreviewedCollection, RestorePreview
from backups_app.runs.closing import outcome
from backups_app.runs.steps import restore_parts


def preview_lines(preview: RestorePreview) -> Iterator[str]:
    """Yield a preview for people."""
    where = "the temple's database" if preview.choices.in_place else "test copy"
    yield f"Backup {preview.choices.backup_id} -> {where} {preview.choices.target} on {preview.server}"
    yield f"{'collection':<32} {'add':>9} {'overwrite':>9} {'delete':>9} {'same':>9} {'kept':>9}"
    for entry in preview.collections:
        numbers = (entry.insert, entry.replace, entry.delete, entry.unchanged, entry.keep + entry.extra)
        yield f"{safe(entry.name):<32} " + " ".join(f"{formats.grouped(number):>9}" for number in numbers)
        yield from (f"    {sentences}" for sentences in _stated(entry))
    if preview.disk_problem:
        yield preview.disk_problem
    for left in preview.left_out:
        yield f"Left out: {safe(left.name)} ({left.reason})" + (
            " --include-purged takes it." if left.emptied_by else ""
        )


def outcome_lines(run: RunRecord) -> Iterator[str]:
    """Yield the end of a restore: first what is safe, then what is not, then what to do."""
    yield outcome.message(run)
    for entry in run.restore.collections:
        sentences = [entry["withheld"], *entry["sentences"]]
        sentences += [f"{formats.grouped(reason['count'])}: {reason['reason']}" for reason in entry["reasons"]]
        yield from (f"  {safe(entry['name'])}: {safe(line)}" for line in sentences if line)
        for word in ("newer", "clashes", "refused", "differing"):
            if entry[word]["count"]:
                ids = ", ".join(safe(str(identity)) for identity in entry[word]["ids"][:10])
                yield f"  {safe(entry['name'])}, {word}: {formats.grouped(entry[word]['count'])} ({ids})"
    yield from run.warnings
    if run.kind == "restore" and restore_parts.begun(run):
        yield f"Undo: manage.py backup_restore --undo {run.backup_id}"


def _stated(entry: PreviewedCollection) -> list[str]:
    withheld = [f"nothing is done: {entry.withheld}"] if entry.withheld else []
    return withheld + (["is created"] if entry.creates else []) + [safe(problem) for problem in entry.problems]
