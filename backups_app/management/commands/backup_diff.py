"""Compare two backups: per collection, per document, or one document field by field."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.backup_files.store.store import Store
from backups_app.browsing.compare import compare, differences
from backups_app.browsing.compare.compare import CollectionDifference, DocumentDifference
from backups_app.browsing.reading import documents
from backups_app.errors import DocumentNotFound, InvalidInput
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import document_text
from backups_app.management.terminal.progress_bars import Bars
from backups_app.runs import preparation
from backups_app.use_cases.readiness import readiness

SIGNS = {"only_a": "-", "only_b": "+", "changed": "~"}


class Command(TempleCommand):
    help = "Compare backup A with backup B: documents only in A (-), only in B (+), and changed (~)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("a", metavar="A", help="The older backup's id.")
        parser.add_argument("b", metavar="B", help="The newer backup's id.")
        parser.add_argument("--collection", metavar="NAME", help="List the documents that differ in this collection.")
        parser.add_argument("--id", metavar="ID", help="With --collection: the two versions of this document.")
        parser.add_argument("--limit", type=int, default=100, help="Documents listed of each kind (100).")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        store = preparation.store(settings)
        if options["id"] is not None and options["collection"] is None:
            raise InvalidInput(message="--id needs --collection.")
        if options["id"] is not None:
            self.one_document(store, options)
        elif options["collection"] is not None:
            self.one_collection(store, options)
        else:
            self.every_collection(store, options)
        return 0

    def every_collection(self, store: Store, options: dict[str, Any]) -> None:
        with Bars(self.console) as bars:
            found = compare.of_backups(store=store, a=options["a"], b=options["b"], progress=bars)
        if options["json"]:
            self.print_json({"a": options["a"], "b": options["b"], "collections": [collection_json(e) for e in found]})
            return
        self.stdout.write(f"{'collection':<40} {'only A':>10} {'only B':>10} {'changed':>10} {'same':>12}")
        for entry in found:
            counts = [formats.grouped(count) for count in (entry.only_a, entry.only_b, entry.changed, entry.same)]
            name = document_text.safe(entry.name)
            self.stdout.write(f"{name:<40} {counts[0]:>10} {counts[1]:>10} {counts[2]:>10} {counts[3]:>12}")

    def one_collection(self, store: Store, options: dict[str, Any]) -> None:
        place = {"store": store, "a": options["a"], "b": options["b"], "collection": options["collection"]}
        with Bars(self.console) as bars:
            found = compare.of_collection(**place, progress=bars)
        zone = timezone.get_default_timezone()
        listed = {
            kind: compare.documents_of(**place, comparison=found, kind=kind, limit=options["limit"], zone=zone)
            for kind in SIGNS
        }
        counts = {"only_a": len(found.only_a), "only_b": len(found.only_b), "changed": len(found.changed)}
        if options["json"]:
            shown = {kind: [document_json(entry) for entry in entries] for kind, entries in listed.items()}
            self.print_json(
                {"collection_name": options["collection"], **counts, "same": found.same, "documents": shown}
            )
            return
        for kind, entries in listed.items():
            self.show_documents(kind, entries, counts[kind])
        self.say(f"{formats.grouped(found.same)} the same.")

    def show_documents(self, kind: str, entries: tuple[DocumentDifference, ...], count: int) -> None:
        for entry in entries:
            self.stdout.write(f"{SIGNS[kind]} {document_text.safe(entry.identity)}")
            for change in entry.changes:
                self.stdout.write(f"    {document_text.change(change)}")
        if count > len(entries):
            self.stdout.write(f"{SIGNS[kind]} … {formats.grouped(count - len(entries))} more")

    def one_document(self, store: Store, options: dict[str, Any]) -> None:
        before, after = (self.version(store, backup_id, options) for backup_id in (options["a"], options["b"]))
        if before is None and after is None:
            raise DocumentNotFound
        kind = "only_b" if before is None else "only_a" if after is None else "changed"
        changes = differences.fields(before, after, zone=timezone.get_default_timezone()) if before and after else ()
        kind = "same" if before == after else kind
        if options["json"]:
            self.print_json({"id": options["id"], "kind": kind, "changes": [change.as_json() for change in changes]})
            return
        self.stdout.write(
            {"only_a": "only in A", "only_b": "only in B", "same": "the same", "changed": "changed"}[kind]
        )
        for change in changes:
            self.stdout.write(document_text.change(change))

    def version(self, store: Store, backup_id: str, options: dict[str, Any]) -> bytes | None:
        place = {"store": store, "backup_id": backup_id, "collection": options["collection"]}
        try:
            return documents.by_id(**place, typed=options["id"]).frame
        except DocumentNotFound:
            return None


def collection_json(entry: CollectionDifference) -> dict[str, Any]:
    """Return the counts of one collection."""
    names = ("documents_a", "documents_b", "only_a", "only_b", "changed", "same")
    return {"collection_name": entry.name, **{name: getattr(entry, name) for name in names}}


def document_json(entry: DocumentDifference) -> dict[str, Any]:
    """Return one document that differs; numbers count from 1."""
    numbers = {"number_a": entry.number_a, "number_b": entry.number_b}
    counted = {name: None if number is None else number + 1 for name, number in numbers.items()}
    return {"id": entry.identity, **counted, "changes": [change.as_json() for change in entry.changes]}
