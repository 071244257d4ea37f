"""The OpenAPI document's own facts. Read by the settings, so nothing here imports Django."""

from __future__ import annotations

from typing import Any

DESCRIPTION = """
Backs up, synchronises and inspects the temple's MongoDB.

Sign in with `POST /api/auth/login`, send `Authorization: Bearer <access>` with every request, and get a new pair with
`POST /api/auth/refresh` before the five minutes of the access token are over. Only Super Admin (role 0) and Admin
(role 1) may use it, and only with `PRIMARY_DATABASE=local`. Ids and times are UTC.

Every failure is `{"detail", "code", "request_id"}`; `code` is stable. The order of checks is 401, 403 (role),
403 (mode), 422, 404.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "TempleOps Backup Management",
    "DESCRIPTION": DESCRIPTION.strip(),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "TargetKindEnum": ["s3", "az", "gs", "file"],
        "ReplacedKindEnum": ["replaced", "deleted"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "backups_app.api.shared.documentation.describe",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "displayRequestDuration": True, "validatorUrl": None},
}
