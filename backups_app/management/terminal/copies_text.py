"""Copies at a target, and what was fetched, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups_app import formats
from backups_app.management.terminal.document_text import safe
from backups_app.use_cases.copies.overview import Copy
from backups_app.use_cases.fetching.fetch import Fetched
from backups_app.use_cases.fetching.rows import CopyRow
from backups_app.use_cases.fetching.site import Site


def at_target(row: CopyRow) -> str:
    """Return one backup at a target: id, size, when it was copied, what it holds."""
    size = "" if row.stored_bytes is None else formats.size(row.stored_bytes)
    copied = "" if row.copied_at is None else f"copied {formats.utc_seconds(row.copied_at)}"
    said = [f"{row.backup_id:<18}", f"{size:>10}", copied, _base(row), _held(row), _problem(row)]
    return "  ".join(part for part in said if part)


def made(copy: Copy) -> str:
    """Return one copy that we made or are making, and why it is not complete."""
    when = "" if copy.copied_at is None else f"copied {formats.utc_seconds(copy.copied_at)}"
    read = "" if copy.read_back_at is None else f"read back {formats.utc_seconds(copy.read_back_at)}"
    said = [f"{copy.backup_id:<18}", f"{copy.target:<12}", f"{copy.state:<8}", f"{formats.size(copy.stored_bytes):>10}"]
    here = "" if copy.elsewhere else "on this computer"
    problem = "" if copy.error is None else safe(f"{copy.error.detail} {copy.error.hint}")
    return "  ".join(part for part in [*said, when, read, here, problem] if part)


def fetched(result: Fetched) -> str:
    """Return what became of one backup."""
    backup_id = result.choice.backup_id
    if result.error is not None:
        what = "here already, and DAMAGED" if result.was_here else "NOT FETCHED"
        return f"{backup_id}: {what}. {safe(result.error.detail)}"
    return f"{backup_id}: {'here already, verified' if result.was_here else 'fetched and verified'}."


def site(found: Site | None) -> Iterator[str]:
    """Yield what came back with `--site`, and what is to be done now."""
    if found is None:
        yield "No site.json came with these copies."
        return
    if found.people:
        yield f"People, without a password: {_names(found.people)}. For each: manage.py changepassword NAME"
    if found.schedules:
        yield f"Schedules, paused: {_names(found.schedules)}. For each: manage.py backup_schedule resume NAME"
    if found.retention:
        yield "The rules of retention came, turned off: manage.py backup_retention show"
    if found.recipients:
        yield f"Copies were encrypted to: BACKUP_COPY_RECIPIENTS={','.join(map(safe, found.recipients))}"
    for said in found.left_out:
        yield f"Left out: {safe(said)}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(safe, names))


def _base(row: CopyRow) -> str:
    return f"begins from {row.base}" if row.base else ""


def _held(row: CopyRow) -> str:
    if not row.is_open:
        return "encrypted" if row.encrypted else ""
    if row.holds is None:
        return "may hold deleted documents"
    held = sum(row.holds.values())
    return f"holds {formats.grouped(held)} deleted documents" if held else ""


def _problem(row: CopyRow) -> str:
    return "" if row.error is None else safe(row.error.detail)
