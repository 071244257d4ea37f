"""The examples of the OpenAPI document are the specification's, and the server answers in their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator

from backups_app.configuration import Configuration
from tests.api.conftest import backed_up
from tests.security.conftest import Caller

PRINTED: dict[tuple[str, str], Any] = {
    ("/api/backup", "post"): {
        "success": True,
        "backup_id": "20250119_143022",
        "backup_path": "/backend/backups/backup_20250119_143022",
        "backup_timestamp": "2025-01-19T14:30:22.000Z",
        "sync_status": "success",
        "collections_deleted_local": ["activities (50 documents)"],
        "collections_deleted_remote": ["activities (50 documents)"],
        "message": "Backup completed successfully",
    },
    ("/api/backups", "get"): {"backup_id": "20250119_143022", "backup_date": "2025-01-19", "collections_count": 15},
    ("/api/backups/{backup_id}/collections", "get"): {
        "collection_name": "bookings", "document_count": 150, "file_size": "45.67 KB",
    },
    ("/api/backups/{backup_id}/collections/{name}", "get"): {"collection_name": "bookings", "total_documents": 150},
    ("/api/backup/status", "get"): {
        "primary_database": "local", "backup_available": True, "sync_enabled": True, "message": "Backup system ready",
    },
}  # fmt: skip
"""What the specification prints, as far as it prints values."""

OPEN = "More fields may stand in it."
"""Stands in the description of a shape that is a document of our records."""


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    """The operations of the OpenAPI document."""
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]
    return found


def example_of(operation: dict[str, Any]) -> Any:
    content = operation["responses"]["200"]["content"]["application/json"]
    value = next(iter(content["examples"].values()))["value"]
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize(("path", "method"), PRINTED)
def test_the_example_is_the_specifications(paths: dict[str, Any], path: str, method: str) -> None:
    example = example_of(paths[path][method])

    assert {name: example[name] for name in PRINTED[path, method]} == PRINTED[path, method]


def test_the_request_example_is_the_specifications(paths: dict[str, Any]) -> None:
    content = paths["/api/backup"]["post"]["requestBody"]["content"]["application/json"]

    assert next(iter(content["examples"].values()))["value"] == {"delete_bookings": True}


def test_the_server_answers_with_the_fields_and_types_of_the_examples(
    paths: dict[str, Any], worker: Configuration, caller: Caller
) -> None:
    made = backed_up(caller, delete_bookings=True)
    base = f"/api/backups/{made['backup_id']}"
    answers: dict[tuple[str, str], Any] = {
        ("/api/backup", "post"): made,
        ("/api/backups", "get"): caller.get("/api/backups").json()[0],  # type: ignore[attr-defined]
        ("/api/backups/{backup_id}/collections", "get"): caller.get(f"{base}/collections").json()[0],  # type: ignore[attr-defined]
        ("/api/backups/{backup_id}/collections/{name}", "get"): caller.get(f"{base}/collections/bookings").json(),  # type: ignore[attr-defined]
        ("/api/backup/status", "get"): caller.get("/api/backup/status").json(),  # type: ignore[attr-defined]
    }

    for (path, method), answer in answers.items():
        example = example_of(paths[path][method])
        assert set(example) <= set(answer), path
        for name, value in example.items():
            if value is not None and answer[name] is not None:
                assert type(answer[name]) is type(value), (path, name)


def test_every_operation_documents_its_failures(paths: dict[str, Any]) -> None:
    for path, item in paths.items():
        for method, operation in item.items():
            failures = {status for status in operation["responses"] if status.startswith(("4", "5"))}
            assert "401" in failures, (method, path)
            assert operation["summary"], (method, path)
            assert not operation["description"].startswith(("GET", "POST", "PUT", "DELETE")), (method, path)


def test_every_route_and_method_is_in_the_document(paths: dict[str, Any]) -> None:
    """Red after an endpoint that is hidden from it. The document itself and its page are not in it."""
    api: Any = next(one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "api")
    offered = {
        ("/api/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(one.pattern)), method)
        for one in api.url_patterns
        if one.name not in ("not_here", "schema", "docs")
        for method in ("get", "post", "put", "patch", "delete")
        if method in one.callback.cls.http_method_names and hasattr(one.callback.cls, method)
    }

    assert offered == {(path, method) for path, item in paths.items() for method in item}


def test_the_document_declares_every_field_that_is_answered(worker: Configuration, caller: Caller) -> None:
    document: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    values = {"backup_id": backed_up(caller, delete_bookings=True)["backup_id"], "name": "bookings"}
    found: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        if "get" in item and set(re.findall(r"{(\w+)}", path)) <= set(values):
            answer: Any = caller.get(path.format(**values))
            content = item["get"]["responses"].get("200", {}).get("content", {})
            if answer.status_code == 200 and "application/json" in content:
                shape = content["application/json"]["schema"]
                found[path] = sorted(set(undeclared(answer.json(), shape, document["components"]["schemas"])))

    assert len(found) >= 10
    assert {path: fields for path, fields in found.items() if fields} == {}


def undeclared(value: Any, shape: dict[str, Any], known: dict[str, Any], place: str = "") -> Iterator[str]:
    """Yield the fields of an answer that its shape does not declare."""
    shapes = list(alternatives(shape, known))
    if isinstance(value, list):
        items = [one["items"] for one in shapes if "items" in one]
        for item in value:
            yield from undeclared(item, {"oneOf": items}, known, f"{place}[]")
    properties = {name: one for each in shapes for name, one in each.get("properties", {}).items()}
    is_open = any(each.get("additionalProperties") or OPEN in each.get("description", "") for each in shapes)
    if not isinstance(value, dict) or not properties or is_open:
        return
    for name, field in value.items():
        if name not in properties:
            yield f"{place}.{name}"
        else:
            yield from undeclared(field, properties[name], known, f"{place}.{name}")


def alternatives(shape: dict[str, Any], known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a shape with what it refers to and is put together of."""
    if "$ref" in shape:
        yield from alternatives(known[shape["$ref"].rpartition("/")[2]], known)
    for word in ("allOf", "oneOf", "anyOf"):
        for part in shape.get(word, []):
            yield from alternatives(part, known)
    yield shape
