"""Bring local and Atlas together now; or show, compare and restore the versions that a sync replaced."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.catalog.sync.sync_record import UnresolvedDocument
from backups_app.errors import InvalidInput, SyncConfirmationMissing
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import document_text, progress_bars
from backups_app.management.terminal.document_text import safe
from backups_app.records import Origin
from backups_app.sync.engine import SyncReport
from backups_app.use_cases import confirmation
from backups_app.use_cases.readiness import mode
from backups_app.use_cases.syncs import conflicts, syncs
from backups_app.use_cases.syncs.syncs import ADOPT_PHRASE, DELETE_PHRASE, SyncWish


class Command(TempleCommand):
    help = "Sync the local database with Atlas. A version is kept before it is overwritten or deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only show what would be done; write nothing.")
        parser.add_argument("--collection", action="append", metavar="NAME", help="Only this one; may be repeated.")
        parser.add_argument("--exact", action="store_true", help="Read everything on both sides and compare it.")
        parser.add_argument("--adopt", action="store_true", help="Pair the two again: merge both, delete nothing.")
        parser.add_argument(
            "--blocked",
            choices=["delete", "keep"],
            help=(
                "For the named blocked collections: delete the missing documents on the other side too, or copy them "
                "back."
            ),
        )
        parser.add_argument("--confirm", default="", help=f"{ADOPT_PHRASE} or {DELETE_PHRASE}, where nobody can type.")
        kept = parser.add_mutually_exclusive_group()
        kept.add_argument("--conflicts", action="store_true", help="List the conflicts, newest first.")
        kept.add_argument("--conflict", metavar="ID", help="Show one beside the live version, field by field.")
        kept.add_argument("--put-back", metavar="ID", help="Restore the version that lost a conflict.")
        parser.add_argument("--all", action="store_true", help="With --conflicts: ordinary edits and deletions too.")
        parser.add_argument("--limit", type=int, default=20, help="How many conflicts to list.")

    def execute_command(self, **options: Any) -> int:
        mode.require_local(configuration.current())
        if options["conflicts"]:
            return self.list_conflicts(options["limit"], only_conflicts=not options["all"])
        if options["conflict"]:
            return self.show_conflict(options["conflict"])
        if options["put_back"]:
            return self.put_back(options["put_back"])
        wish = self.wish(options)
        with progress_bars.Bars(self.console, verbose=options["verbosity"] > 1) as bars:
            report = syncs.sync_now(
                wish=wish, requested_by=getpass.getuser(), origin=Origin.COMMAND, now=timezone.now(), listener=bars
            )
        return self.report(report)

    def wish(self, options: dict[str, Any]) -> SyncWish:
        """Read what is asked for. Raise `InvalidInput`, `SyncConfirmationMissing`."""
        names = frozenset(options["collection"] or ())
        if options["blocked"] and not names:
            raise InvalidInput(message="Name the blocked collections: --blocked delete --collection bookings")
        if options["adopt"] and not options["dry_run"]:
            self.require(ADOPT_PHRASE, "The two databases are paired again: both then hold the documents of both.")
        if options["blocked"] == "delete" and not options["dry_run"]:
            which = ", ".join(sorted(names))
            text = f"Documents missing on one side of {which} are deleted on the other; their versions are kept."
            self.require(DELETE_PHRASE, text)
        return SyncWish(
            dry_run=options["dry_run"],
            exact=options["exact"],
            adopt=options["adopt"],
            only=names or None,
            decided=dict.fromkeys(names, options["blocked"]) if options["blocked"] else {},
        )

    def require(self, phrase: str, sentence: str) -> None:
        """Say the sentence to the person who is asked. Raise `SyncConfirmationMissing`."""
        if not self.options["confirm"] and self.someone_is_there:
            self.stderr.write(sentence)
        confirmation.require(phrase, typed=self.typed(phrase), refusal=SyncConfirmationMissing(phrase=phrase))

    def report(self, report: SyncReport) -> int:
        """Print the `sync_logs` document, or what a person wants to know. Return 3 when something was left over."""
        if self.options["json"]:
            self.print_json(report.log)
        else:
            for line in _lines(report):
                self.stdout.write(line)
        return 3 if report.left_over else 0

    def list_conflicts(self, limit: int, *, only_conflicts: bool) -> int:
        found = conflicts.newest(configuration=configuration.current(), only_conflicts=only_conflicts, limit=limit)
        if self.options["json"]:
            self.print_json(found)
            return 0
        for one in found:
            when = timezone.localtime(one["kept_at"])
            document = f"{safe(one['collection'])}  {safe(str(one['document_id']))}"
            self.stdout.write(f"{one['_id']}  {when:%d %b %Y %H:%M}  {document}")
            self.stdout.write(f"    the {one['side']} version was {one['kind']}: {one['why']}")
        return 0

    def show_conflict(self, conflict_id: str) -> int:
        """Print what restoring a replaced version would change here."""
        version = conflicts.get(configuration=configuration.current(), conflict_id=conflict_id)
        zone = timezone.get_current_timezone()
        changes = version.changes(zone=zone)
        if self.options["json"]:
            known = {"id": conflict_id, "collection": version.record["collection"], "why": version.record["why"]}
            self.print_json(known | {"live_sha256": version.live_hash, "changes": [one.as_json() for one in changes]})
            return 0
        self.stdout.write(f"The {version.record['side']} version was {version.record['kind']}: {version.record['why']}")
        if version.live is None:
            self.stdout.write("There is no live version here. The replaced version:")
            lines = list(document_text.document(version.frame, zone=zone))
        else:
            self.stdout.write("Restoring it would change:" if changes else "It equals the live version here.")
            lines = [f"  {document_text.change(one)}" for one in changes]
        for line in lines:
            self.stdout.write(line)
        return 0

    def put_back(self, conflict_id: str) -> int:
        settings = configuration.current()
        version = conflicts.get(configuration=settings, conflict_id=conflict_id)
        conflicts.restore_version(
            configuration=settings,
            conflict_id=conflict_id,
            seen=version.live_hash,
            requested_by=getpass.getuser(),
            origin=Origin.COMMAND,
            now=timezone.now(),
        )
        if self.options["json"]:
            self.print_json({"put_back": conflict_id, "collection": version.record["collection"]})
        else:
            self.stdout.write("Version restored. The next sync carries it to Atlas.")
        return 0


def _whose(named: UnresolvedDocument) -> str:
    """Return the `_id` of a document that could not be carried over, or how many there are that have none."""
    return safe(str(named.id)) if named.id is not None else f"{named.count} documents"


def _lines(report: SyncReport) -> list[str]:
    log = report.log
    lines = [f"{'Would be: ' if log.dry_run else ''}{report.sentence} in {log.seconds:.1f} s."]
    lines += [f"  {reason}" for reason in log.reasons]
    for one in log.collections:
        if one.writes:
            lines.append(f"  {one.name}: {', '.join(f'{n} {count}' for count, n in one.writes.items())}")
        lines += [f"    {sentence}" for sentence in one.differences]
        lines += [f"    unresolved {_whose(named)}: {named.reason}" for named in one.unresolved_documents]
    left = report.left_over
    lines += [f"  {name}: not synced, {reason}" for name, reason in report.skipped.items() if name not in left]
    if log.proof is not None:
        lines.append(f"  Proof: {progress_bars.proof_line(log.proof)}")
        lines += [f"    differs: {safe(one['collection'])} {safe(str(one['id']))}" for one in log.proof.differing]
    return lines + [f"  Warning: {sentence}" for sentence in report.warnings]
