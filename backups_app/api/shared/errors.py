"""Every failure as one shape: `{"detail", "code", "request_id"}`, and where it helps `hint` and `errors`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from backups_app.access import records
from backups_app.access.requests.error_body import error_body
from backups_app.errors import (
    BackupRemoved,
    CollectionPreparing,
    FieldsInvalid,
    NotAuthenticated,
    OtherWorkActive,
    RateLimited,
    RunActive,
    SearchBusy,
    StepUpNeeded,
    TempleOpsError,
)
from backups_app.mongo.refusals import refusals
from backups_app.records import Side

log = logging.getLogger(__name__)

BUSY_SECONDS, PREPARING_SECONDS = "3", "1"
"""A search ends after a second and a half, on a busy machine later. A file is read further while somebody asks."""

CHALLENGE = 'Bearer realm="templeops", error="invalid_token"'
STEP_UP = 'Bearer realm="templeops", error="insufficient_user_authentication", max_age="900"'
SENTENCES = {
    400: ("bad_request", "The request could not be understood."),
    401: ("not_authenticated", NotAuthenticated.sentence),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not accept that method."),
    406: ("not_acceptable", "The answer is always application/json."),
    415: ("unsupported_media_type", "The body must be JSON: send Content-Type: application/json."),
    500: ("internal_error", TempleOpsError.sentence),
}


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """For REST framework: return the answer to any exception. What we do not know is logged and says nothing."""
    if isinstance(error, TempleOpsError):
        return error_response(error)
    if named := refusals.named(error, side=Side.LOCAL):  # asked by nobody's name: it was the local server
        return error_response(named)
    if records.is_unavailable(error):
        log.error("The database of users and audit rows cannot be used", exc_info=error)
        return error_response(records.failure(error))
    if records.cannot_be_kept(error):
        return plain(400)
    if isinstance(error, exceptions.ValidationError):
        return error_response(fields_invalid(error))
    if isinstance(error, Http404):
        return plain(404)
    if isinstance(error, PermissionDenied):
        return plain(403)
    if isinstance(error, exceptions.APIException):
        response = plain(error.status_code)
        if isinstance(error, exceptions.MethodNotAllowed):
            response.headers["Allow"] = ", ".join(context["view"].allowed_methods)
        return response
    log.exception("Unable to answer a request of the API")
    return plain(500)


def error_response(error: TempleOpsError) -> Response:
    """Return the answer to a named failure."""
    body: dict[str, Any] = {**error_body(code=error.code, detail=error.detail, hint=error.hint)}
    if isinstance(error, FieldsInvalid):
        body["errors"] = error.facts["errors"]
    if isinstance(error, BackupRemoved):
        body |= error.known
    response = Response(body, status=error.status)
    _add_headers(response, error)
    if isinstance(error, RunActive) and not isinstance(error, OtherWorkActive):
        body["run"] = error.facts["backup_id"]
    return response


def plain(status: int) -> Response:
    """Return the answer to a failure that has only its HTTP status to say."""
    return Response(_sentence(status), status=status)


def last_resort(status: int) -> JsonResponse:
    """Return the same where no view of the API was reached."""
    return JsonResponse(_sentence(status), status=status)


def of_last_resort(error: TempleOpsError) -> JsonResponse:
    """Return the answer to a named failure where no view of the API was reached."""
    return JsonResponse(error_body(code=error.code, detail=error.detail, hint=error.hint), status=error.status)


def _sentence(status: int) -> dict[str, str]:
    code, detail = SENTENCES.get(status, SENTENCES[500] if status >= 500 else SENTENCES[400])
    return error_body(code=code, detail=detail)


def fields_invalid(error: exceptions.ValidationError) -> FieldsInvalid:
    """Given what a serializer found, return it as one error with a sentence and a list by field."""
    found = [{"field": field, "message": message} for field, message in _flat("", error.detail)]
    sentence = "; ".join(f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in found)
    return FieldsInvalid(message=sentence or "The input is not valid.", errors=found)


def _flat(field: str, sentences: Any) -> Iterator[tuple[str, str]]:
    """Yield (field, sentence): what is wrong inside `collections` is at `collections.0`."""
    if isinstance(sentences, dict):
        for name, inner in sentences.items():
            yield from _flat(field if name == "non_field_errors" else f"{field}.{name}".strip("."), inner)
    elif isinstance(sentences, list):
        for inner in sentences:
            yield from _flat(field, inner)
    else:
        yield field, str(sentences)


def _add_headers(response: Response, error: TempleOpsError) -> None:
    if isinstance(error, StepUpNeeded):
        response.headers["WWW-Authenticate"] = STEP_UP
    elif isinstance(error, NotAuthenticated):
        response.headers["WWW-Authenticate"] = CHALLENGE
    elif isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.facts["seconds"])
    elif isinstance(error, SearchBusy):
        response.headers["Retry-After"] = BUSY_SECONDS
    elif isinstance(error, CollectionPreparing):
        response.headers["Retry-After"] = PREPARING_SECONDS
    elif isinstance(error, RunActive) and not isinstance(error, OtherWorkActive):
        response.headers["Location"] = f"/api/backups/{error.facts['backup_id']}"
