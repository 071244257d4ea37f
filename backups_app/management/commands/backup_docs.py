"""Look inside a backup: its collections, a page of documents, one document, or a search. MongoDB is not needed."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from backups_app import configuration, formats
from backups_app.backup_files.shown import extended_json
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import collections, documents, opening, raw_documents
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.documents import PageDocument
from backups_app.browsing.reading.raw_documents import UndecodableDocument
from backups_app.browsing.search import query, search
from backups_app.errors import DamagedDocument, InvalidInput
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import document_text
from backups_app.runs import preparation
from backups_app.use_cases.readiness import readiness


class Command(TempleCommand):
    help = "Show the collections of a backup (an id, or latest), or documents of one of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup_id", metavar="ID", help="A backup id, or latest.")
        parser.add_argument("collection", metavar="COLLECTION", nargs="?")
        parser.add_argument("--search", metavar="TEXT", help='A literal: doe, "Doe", field:value.')
        parser.add_argument(
            "--id", metavar="ID", help="The document with this _id (24 hex digits, text, Extended JSON)."
        )
        parser.add_argument("--own", action="store_true", help="With --json: list our own records too.")
        parser.add_argument("--page", type=int, default=1)
        parser.add_argument("--limit", type=int, default=25)
        parser.add_argument("--from", type=int, metavar="N", help="Begin at this document (from 1), not at a page.")
        parser.add_argument("--format", choices=["tree", "json", "ndjson"], default="tree")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        store = preparation.store(settings)
        backup_id = self.backup_id(options["backup_id"])
        if options["page"] < 1 or not 1 <= options["limit"] <= documents.LIMIT_MOST:
            raise InvalidInput(message=f"--page is 1 or more, --limit 1 to {documents.LIMIT_MOST:,}.")
        if options["from"] is not None and (options["from"] < 1 or options["search"] is not None):
            raise InvalidInput(message="--from is 1 or more, and does not go with --search.")
        if options["collection"] is None:
            return self.list_collections(store, backup_id)
        found, facts = self.read(store, backup_id, options)
        place = {"store": store, "backup_id": backup_id, "collection": options["collection"]}
        self.show(found, facts, raw=[raw_documents.undecodable_document(one, **place) for one in found if one.problem])
        return 1 if any(document.damaged for document in found) or facts.get("broken") else 0

    def list_collections(self, store: Store, backup_id: str) -> int:
        entries = collections.of_backup(store=store, backup_id=backup_id)
        own = [entry for entry in entries if entry.internal]
        temple = [entry for entry in entries if not entry.internal]
        if self.options["json"] or self.options["format"] != "tree":
            self.print_json([collection_json(entry) for entry in (entries if self.options["own"] else temple)])
            return 0
        for entry in (*temple, *own):
            count = "-" if entry.note else "?" if entry.documents is None else formats.grouped(entry.documents)
            sentences = ["" if entry.verified else "not verified", "our own record" if entry.internal else ""]
            sentences += ["a view" if entry.type == "view" else entry.note, entry.problem]
            line = f"{document_text.safe(entry.name):<40} {count:>12}  {entry.size:>10}"
            self.stdout.write("  ".join([line, *filter(None, sentences)]))
        self.say(f"{len(temple)} collections of the temple, {len(own)} of our own records.")
        return 0

    def read(
        self, store: Store, backup_id: str, options: dict[str, Any]
    ) -> tuple[Sequence[PageDocument], dict[str, Any]]:
        """Return the documents asked for, and what the JSON answer says beside them."""
        place = {"store": store, "backup_id": backup_id, "collection": options["collection"]}
        limit, offset = options["limit"], (options["page"] - 1) * options["limit"]
        if options["id"] is not None:
            return (documents.by_id(**place, typed=options["id"]),), {}
        if options["search"] is not None:
            return self.search(store, backup_id, options["collection"], options["search"], offset, limit)
        offset = offset if options["from"] is None else options["from"] - 1
        page = documents.page(**place, offset=offset, limit=limit)
        facts: dict[str, Any] = {"total_documents": page.total, "offset": offset, "limit": limit, "note": page.note}
        facts |= {"next": page.next, "truncated": page.truncated}
        return page.documents, facts

    def search(
        self, store: Store, backup_id: str, collection: str, text: str, offset: int, limit: int
    ) -> tuple[Sequence[PageDocument], dict[str, Any]]:
        source = open_collection(backup=opening.open_backup(store=store, backup_id=backup_id), collection=collection)
        wanted = query.parse(text, zone=timezone.get_default_timezone())
        found: list[PageDocument] = []
        count = 0
        at: int | None = 0
        broken: int | None = None
        while at is not None and count < offset + limit:
            page = search.find(source, query=wanted, start=at, limit=offset + limit - count)
            on_page = page.hits[max(0, offset - count) :]
            found += [PageDocument(number=hit.number, frame=hit.frame, problem=hit.problem) for hit in on_page]
            count += len(page.hits)
            at, broken = page.next, page.broken_at
        facts: dict[str, Any] = {"total_documents": source.total, "offset": offset, "limit": limit}
        facts |= {"matched": count, "truncated": at is not None or broken is not None}
        facts |= {"broken": "" if broken is None else DamagedDocument(number=broken + 1, readable=broken).detail}
        facts |= {"note": collections.why_no_documents(source.entry)}
        return found, facts

    def show(self, found: Sequence[PageDocument], facts: dict[str, Any], *, raw: Sequence[UndecodableDocument]) -> None:
        sound = [document for document in found if not document.problem]
        if self.options["json"]:
            plain = [extended_json.relaxed(document.frame) for document in sound]
            damaged = [{"number": entry.number + 1, "problem": entry.problem} for entry in found if entry.damaged]
            answer = {"collection_name": self.options["collection"], "documents": plain, **facts, "damaged": damaged}
            self.print_json(answer | {"raw_documents": [raw_json(entry) for entry in raw]})
        elif self.options["format"] == "json":
            self.print_json([extended_json.relaxed(document.frame) for document in sound])
        elif self.options["format"] == "ndjson":
            for document in sound:
                self.stdout.write(json.dumps(extended_json.relaxed(document.frame), ensure_ascii=False))
        else:
            self.show_trees(found, facts, {entry.number: entry for entry in raw})
        if facts.get("truncated") and facts.get("next") is not None and not self.options["json"]:
            self.say(f"The documents are large: only {len(found)} are shown. Go on with --from {facts['next'] + 1}.")
        if raw and self.options["format"] != "tree":
            self.say(f"{formats.documents(len(raw))} not decoded; --format tree shows them.")

    def show_trees(
        self, found: Sequence[PageDocument], facts: dict[str, Any], raw: Mapping[int, UndecodableDocument]
    ) -> None:
        zone = timezone.get_default_timezone()
        for document in found:
            self.stdout.write(f"document {document.number + 1}")
            lines = document_text.document(document.frame, zone=zone) if not document.problem else ()
            for line in lines or document_text.raw(raw[document.number]):
                self.stdout.write(line)
        if facts.get("note"):
            self.say(facts["note"])
        elif "matched" in facts:
            at_least = "at least " if facts["truncated"] else ""
            self.say(
                f"{at_least}{formats.grouped(facts['matched'])} of {formats.grouped(facts['total_documents'])} match."
            )
            if facts["broken"]:
                self.say(facts["broken"])
        elif facts:
            self.say(f"{formats.documents(facts['total_documents'])} in all.")


def raw_json(entry: UndecodableDocument) -> dict[str, Any]:
    """Return a document that may not be decoded by its bytes; its number counts from 1, as `damaged` does."""
    return {
        "number": entry.number + 1,
        "problem": entry.problem,
        "restorable": entry.restorable,
        "id": entry.identity,
        "raw_hex": entry.raw.hex(),
    }


def collection_json(entry: collections.CollectionSummary) -> dict[str, Any]:
    """Return one line of the specification's list of collections, with ours beside it."""
    return {
        "collection_name": entry.name,
        "document_count": entry.documents,
        "file_size": entry.size,
        "file_size_bytes": entry.size_bytes,
        "type": entry.type,
        "indexes": list(entry.indexes),
        "verified": entry.verified,
        "internal": entry.internal,
        "problem": entry.problem,
        "note": entry.note,
    }
