"""Copies at a target, and what was fetched, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups_app import formats
from backups_app.errors import TempleOpsError
from backups_app.management.terminal.document_text import safe
from backups_app.storage import site_ids
from backups_app.use_cases.copies.overview import Copy, Target
from backups_app.use_cases.fetching.fetch import Fetched
from backups_app.use_cases.fetching.rows import CopyRow
from backups_app.use_cases.fetching.site import Site


def at_target(row: CopyRow) -> str:
    """Return one backup at a target: id, size, when it was copied, what it holds."""
    size = "" if row.stored_bytes is None else formats.size(row.stored_bytes)
    copied = "" if row.copied_at is None else f"copied {formats.utc_seconds(row.copied_at)}"
    sentences = [f"{row.backup_id:<18}", f"{size:>10}", copied]
    sentences += [_encrypted(row), _site(row), _base(row), _held(row), _problem(row)]
    return "  ".join(part for part in sentences if part)


def made(copy: Copy) -> str:
    """Return one copy that we made or are making, and why it is not complete."""
    when = "" if copy.copied_at is None else f"copied {formats.utc_seconds(copy.copied_at)}"
    read = "" if copy.read_back_at is None else f"read back {formats.utc_seconds(copy.read_back_at)}"
    sentences = [
        f"{copy.backup_id:<18}",
        f"{copy.target:<12}",
        f"{copy.state:<8}",
        f"{formats.size(copy.stored_bytes):>10}",
    ]
    here = "" if copy.elsewhere else "on this computer"
    encrypted = "encrypted" if copy.recipients else "not encrypted"
    failure = copy.error or copy.unread or copy.away
    problem = "" if failure is None else safe(f"{failure.detail} {failure.hint}")
    if copy.unread is not None and copy.unread_since is not None:
        problem = f"NOT READ BACK since {formats.utc_seconds(copy.unread_since)}. {problem}"
    problem = f"DOES NOT COUNT. {problem}" if copy.is_complete and copy.away is not None else problem
    return "  ".join(part for part in [*sentences, encrypted, when, read, here, problem] if part)


def target(found: Target) -> str:
    """Return one target: where it is, how many copies it has, and which of them everybody there can read."""
    clear = f", {found.in_clear} of them not encrypted" if found.in_clear and found.recipients else ""
    place = f"Target {found.name}: {safe(found.address)}: {formats.grouped(found.complete)} complete copies{clear}"
    return place if found.elsewhere else f"{place}, on this computer"


def fetched(result: Fetched) -> str:
    """Return what became of one backup."""
    backup_id = result.choice.backup_id
    if result.error is not None:
        what = "here already, and DAMAGED" if result.was_here else "NOT FETCHED"
        return f"{backup_id}: {what}. {safe(result.error.detail)}"
    return f"{backup_id}: {'here already, verified' if result.was_here else 'fetched and verified'}."


def taken_in(backup_id: str, error: TempleOpsError | None) -> str:
    """Return what became of a copy that no record knew."""
    if error is not None:
        return f"{backup_id}: NOT TAKEN IN. {safe(f'{error.detail} {error.hint}')}"
    return f"{backup_id}: read whole and taken in."


def site(found: Site | None, *, recipients: Sequence[str]) -> Iterator[str]:
    """Yield what came back with `--site`, and what is to be done now. `recipients` are those of this machine's
    `BACKUP_COPY_RECIPIENTS`."""
    if found is None:
        yield "These copies hold no site.json."
        return
    if found.people:
        yield f"People, without a password: {_names(found.people)}. For each: manage.py changepassword NAME"
    if found.schedules:
        yield f"Schedules, paused: {_names(found.schedules)}. For each: manage.py backup_schedule resume NAME"
    if found.retention:
        yield "The retention rules were brought in, turned off: manage.py backup_retention show"
    yield from _keys(found.recipients, recipients)
    for sentences in found.left_out:
        yield f"Left out: {safe(sentences)}"


def _keys(theirs: Sequence[str], ours: Sequence[str]) -> Iterator[str]:
    """Yield the line for `.env`, only where it lacks keys that copies were encrypted to."""
    lacking = [one for one in theirs if one not in ours]
    if not lacking:
        return
    if ours:
        yield (
            "Copies were encrypted to other keys too. To encrypt the next copies to them as well, put this line into "
            ".env:"
        )
    else:
        yield "Copies were encrypted. Before the next backup put this line into .env; without it no copies are made:"
    yield f"BACKUP_COPY_RECIPIENTS={','.join(map(safe, [*ours, *lacking]))}"


def unusable_sites(results: Sequence[Fetched], found: Site | None) -> Iterator[str]:
    """Yield a line for each copy whose `site.json` could not be used."""
    problems = {one.choice.backup_id: one.site_error for one in results if one.site_error is not None}
    for backup_id, error in sorted((problems | (found.problems if found is not None else {})).items()):
        yield f"{backup_id}: {safe(f'{error.detail} {error.hint}')}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(safe, names))


def _encrypted(row: CopyRow) -> str:
    """Of a copy whose manifest cannot be read nobody knows."""
    return "" if row.encrypted is None else "encrypted" if row.encrypted else "not encrypted"


def _site(row: CopyRow) -> str:
    return f"site {row.site_id[: site_ids.SHORT]}" if row.site_id else ""


def _base(row: CopyRow) -> str:
    return f"begins from {row.base}" if row.base else ""


def _held(row: CopyRow) -> str:
    if not row.is_open:
        return ""
    if row.holds is None:
        return "may hold deleted documents"
    held = sum(row.holds.values())
    return f"holds {formats.grouped(held)} deleted documents" if held else ""


def _problem(row: CopyRow) -> str:
    return "" if row.error is None else safe(row.error.detail)
