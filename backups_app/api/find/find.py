"""Finding a document in live data and in every backup."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.api.find import find_shapes
from backups_app.api.shared import inputs, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.browsing.reading import document_ids
from backups_app.browsing.values import tree
from backups_app.records import Origin
from backups_app.use_cases.finding import finding, found_places
from backups_app.use_cases.finding.finding import FoundSoFar
from backups_app.use_cases.finding.placed_documents import PlacedDocument

EXAMPLE = OpenApiExample(
    "A booking that was deleted after a season",
    value={
        "results": [
            {
                "collection_name": "bookings",
                "id": "507f1f77bcf86cd799439011",
                "live": {"local": False, "remote": False},
                "deleted_by": "20250331_203000",
                "last_found_in": "20250331_203000",
                "backups": 12,
                "versions": [{"backup_ids": ["20250331_203000", "20250330_203000"], "offset": 17}],
                "preview": [{"name": "devotee.name", "text": "Lakshmi Iyer"}, {"name": "amount", "text": "501"}],
            }
        ],
        "searched": {"documents": 1400000, "backups": 14, "of_backups": 30},
        "full": [],
        "skipped": [{"backup_id": "20250101_203000", "collection_name": "", "code": "backup_damaged"}],
        "skipped_count": 1,
        "not_searched": [
            {"code": "backup_elsewhere", "where": "temple-2", "count": 1, "backups": ["20250402_203000"]},
        ],
        "complete": False,
        "next": "Zk3v0c1mT2sQ.3",
    },
    response_only=True,
)


class FindEndpoint(Endpoint):
    """GET /api/find?q="""

    @extend_schema(
        summary="Find a document in live data and in every backup", operation_id="find_documents",
        parameters=[inputs.Find], examples=[EXAMPLE],
        responses={200: find_shapes.Found, **shapes.failures(401, 403, 410, 422, 503)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Search live data, then the backups, newest first, for about a second; `next` is the `cursor` to go on with,
        or null at the end. Each answer holds all that was found so far, one result for each `_id` of a collection.

        `q` is a literal, or `field:value`, as in the search of a collection. At most 50 documents of a collection and
        100 in all: `full` names the collections of which more match. What cannot be read stands under `skipped`, and
        each time-series of a backup (`time_series_not_searched`): its file holds buckets, and none of its measurements.
        Backups that are known of and not in this host's folder stand under `not_searched`, with a `code`: on another
        host (`backup_elsewhere`), folder gone (`backup_removed`), disk not mounted (`store_missing`), in the trash
        (`in_trash`), only at a target (`only_a_copy`), a folder that is no backup (`no_backup_folder`); or MongoDB
        did not say which there are (`records_unknown`). Only with `complete` was everything searched.
        """
        wanted = self.query(inputs.Find)
        if wanted["cursor"]:
            found = finding.go_on(
                configuration=self.configuration, words=wanted["q"], cursor=wanted["cursor"], person=self.person,
                zone=UTC,
            )  # fmt: skip
        else:
            found = finding.begin(
                configuration=self.configuration, words=wanted["q"], only_lost=wanted["only_lost"], person=self.person,
                origin=Origin.API, now=self.now, zone=UTC,
            )  # fmt: skip
        placed = found_places.placed(configuration=self.configuration, state=found.state, query=found.query)
        return Response({"results": [_result(one) for one in placed], **_progress(found)})


def _progress(found: FoundSoFar) -> dict[str, Any]:
    state = found.state
    return {
        "searched": {
            "documents": state.searched, "backups": state.backups_searched, "of_backups": len(state.backups),
        },
        "full": sorted(state.full),
        "skipped": [
            {"backup_id": one.backup_id or None, "collection_name": one.collection, "code": one.code}
            for one in state.skipped
        ],
        "skipped_count": state.skipped_count,
        "not_searched": [
            {"code": one.code, "where": one.where, "count": one.count, "backups": list(one.backups)}
            for one in state.not_searched
        ],
        "complete": state.complete,
        "next": found.cursor or None,
    }  # fmt: skip


def _result(one: PlacedDocument) -> dict[str, Any]:
    readable = one.hit is not None and not one.hit.problem
    return {
        "collection_name": one.collection,
        "id": document_ids.address(one.raw_id) if one.raw_id else "",
        "live": {"local": one.here, "remote": one.on_atlas},
        "deleted_by": one.deleted_by or None,
        "last_found_in": one.last_found_in or None,
        "backups": one.backups,
        "versions": [{"backup_ids": list(each.backup_ids), "offset": each.number} for each in one.versions],
        "preview": [
            {"name": node.name, "text": node.text}
            for node in (tree.preview(one.hit.frame, zone=UTC) if one.hit is not None and readable else ())
        ],
    }
