"""Looking into a backup: its collections and their documents, read from the files alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api.backups import browse_examples, names_in_paths
from backups_app.api.shared import inputs, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.backup_files.shown import extended_json, json_stream, shortened
from backups_app.browsing.reading import (
    collection_opening,
    collections,
    documents,
    opening,
    raw_documents,
)
from backups_app.browsing.reading.documents import PageDocument
from backups_app.browsing.search import query, search
from backups_app.errors import DamagedDocument, DocumentNotFound
from backups_app.runs import preparation

FORMS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "relaxed": extended_json.relaxed,
    "plain": extended_json.plain,
}


class CollectionsEndpoint(Endpoint):
    """GET /api/backups/{backup_id}/collections"""

    @extend_schema(
        summary="Collections of a backup", operation_id="list_collections",
        parameters=[inputs.ListCollections], examples=[browse_examples.COLLECTIONS_EXAMPLE],
        responses={200: shapes.Collection(many=True), **shapes.failures(401, 403, 404, 409, 410, 422)},
    )  # fmt: skip
    def get(self, request: Request, backup_id: str) -> Response:
        """Names, counts and sizes, as many as `collections_count` says; with `own=true` our own records too. A file of
        somebody else's mongodump is counted as far as time allows."""
        wanted = self.query(inputs.ListCollections)
        found = collections.of_backup(store=preparation.store(self.configuration), backup_id=backup_id)
        return Response([_collection(one) for one in found if wanted["own"] or not one.internal])


class DocumentsEndpoint(Endpoint):
    """GET /api/backups/{backup_id}/collections/{name}"""

    @extend_schema(
        summary="Documents of a collection", operation_id="list_documents", parameters=[inputs.ListDocuments],
        examples=[browse_examples.DOCUMENTS_EXAMPLE],
        responses={200: shapes.DocumentsSerializer, **shapes.failures(401, 403, 404, 409, 410, 422, 500, 503)},
    )  # fmt: skip
    def get(self, request: Request, backup_id: str, name: str) -> Response | StreamingHttpResponse:
        """A page in the order of the file. `search` is a literal, or `field:value`; it goes on at `next`.

        Where the file is damaged the readable part is answered, `damaged` and `truncated` say where it ends. What may
        not be decoded stands under `raw_documents`. A page ends at about 4 MiB (`truncated`). A document above 1 MiB
        is shortened; `whole=true` answers it whole.
        """
        wanted = self.query(inputs.ListDocuments)
        read = _search if wanted["search"].strip() else _page
        store = preparation.store(self.configuration)
        collection = names_in_paths.named(
            name, held=lambda: opening.open_backup(store=store, backup_id=backup_id).manifest.collections
        )
        if wanted["whole"]:
            return _whole(store, backup_id, collection, wanted)
        body = read(store, backup_id, collection, wanted)
        return Response({"collection_name": collection, **body})


def _page(store: Any, backup_id: str, collection: str, wanted: dict[str, Any]) -> dict[str, Any]:
    found = documents.page(
        store=store, backup_id=backup_id, collection=collection, offset=wanted["offset"], limit=wanted["limit"]
    )
    sound = [(one.number, one.frame) for one in found.documents if not one.problem]
    return {
        "documents": _shown(found.readable, wanted["format"]),
        "total_documents": found.total,
        "matched": None,
        "next": found.next,
        "truncated": found.broken_at is not None or found.truncated,
        "damaged": [one.number for one in found.documents if one.damaged],
        "raw_documents": _raw(store, backup_id, collection, found.documents),
        "note": found.note,
        "shortened": _shortened(sound),
    }


def _search(store: Any, backup_id: str, collection: str, wanted: dict[str, Any]) -> dict[str, Any]:
    parsed = query.parse(wanted["search"])
    backup = opening.open_backup(store=store, backup_id=backup_id)
    source = collection_opening.open_collection(backup=backup, collection=collection)
    found = search.find(source, query=parsed, start=wanted["offset"], limit=wanted["limit"])
    exact = found.finished and found.start == 0
    marked = [PageDocument(number=hit.number, frame=hit.frame, problem=hit.problem) for hit in found.hits]
    return {
        "documents": _shown([hit.frame for hit in found.hits if not hit.problem], wanted["format"]),
        "total_documents": found.total,
        "matched": len(found.hits) if exact else None,
        "next": found.next,
        "truncated": not found.finished,
        "damaged": [] if found.broken_at is None else [found.broken_at],
        "raw_documents": _raw(store, backup_id, collection, marked),
        "note": collections.why_no_documents(source.entry),
        "shortened": _shortened([(hit.number, hit.frame) for hit in found.hits if not hit.problem]),
    }


def _raw(store: Any, backup_id: str, collection: str, found: Sequence[PageDocument]) -> list[dict[str, Any]]:
    """What may not be decoded, by its bytes."""
    versions_json = [
        raw_documents.undecodable_document(one, store=store, backup_id=backup_id, collection=collection)
        for one in found
        if one.problem
    ]
    return [
        {
            "number": one.number,
            "problem": one.problem,
            "restorable": one.restorable,
            "id": one.identity,
            "raw_hex": one.raw.hex(),
        }
        for one in versions_json
    ]


def _whole(store: Any, backup_id: str, collection: str, wanted: dict[str, Any]) -> StreamingHttpResponse:
    """Answer one document whole, as a page of one, written piece by piece."""
    found = documents.page(store=store, backup_id=backup_id, collection=collection, offset=wanted["offset"], limit=1)
    if not found.documents:
        raise DocumentNotFound
    if found.documents[0].problem:
        raise DamagedDocument(number=wanted["offset"] + 1, readable=wanted["offset"])
    facts: dict[str, Any] = {
        "total_documents": found.total,
        "matched": None,
        "next": found.next,
        "truncated": False,
        "damaged": [],
        "raw_documents": [],
        "note": "",
        "shortened": [],
    }
    before = json.dumps({"collection_name": collection}, ensure_ascii=False)[:-1] + ', "documents": ['
    after = "], " + json.dumps(facts)[1:]
    written = chain([before], json_stream.pieces(found.documents[0].frame, wanted["format"]), [after])
    return StreamingHttpResponse(written, content_type="application/json")


def _shortened(shown: Sequence[tuple[int, bytes]]) -> list[dict[str, int]]:
    return [{"offset": number, "size_bytes": len(frame)} for number, frame in shown if shortened.is_needed(frame)]


def _shown(frames: Sequence[bytes], form: str) -> list[dict[str, Any]]:
    """Every frame here has been validated by `browsing`: nothing unproven is decoded."""
    return [FORMS[form](shortened.shorten(frame)) for frame in frames]


def _collection(one: collections.CollectionSummary) -> dict[str, Any]:
    return {
        "collection_name": one.name,
        "document_count": one.documents,
        "file_size": one.size,
        "file_size_bytes": one.size_bytes,
        "verified": one.verified,
        "indexes": list(one.indexes),
        "type": one.type,
        "internal": one.internal,
        "problem": one.problem,
        "note": one.note,
    }
