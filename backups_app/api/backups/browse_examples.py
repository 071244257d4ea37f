"""Examples of the answers about what a backup holds, for OpenAPI."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

COLLECTIONS_EXAMPLE = OpenApiExample(
    "Collections",
    value={
        "collection_name": "bookings",
        "document_count": 150,
        "file_size": "45.67 KB",
        "file_size_bytes": 46766,
        "verified": True,
        "indexes": ["_id_"],
        "type": "collection",
        "internal": False,
        "problem": "",
        "note": "",
    },
    response_only=True,
)

DOCUMENTS_EXAMPLE = OpenApiExample(
    "Documents",
    value={
        "collection_name": "bookings",
        "documents": [{"_id": {"$oid": "507f1f77bcf86cd799439011"}, "name": "John Doe", "ritual": "Puja"}],
        "total_documents": 150,
        "matched": None,
        "next": None,
        "truncated": False,
        "damaged": [],
        "raw_documents": [],
        "note": "",
        "shortened": [],
    },
    response_only=True,
)
