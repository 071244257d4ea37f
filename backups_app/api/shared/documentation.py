"""The OpenAPI document and its page for people. Both hold no data, so they need no login."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.utils.decorators import method_decorator
from drf_spectacular.drainage import get_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny

from backups_app.api.shared import inputs


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Says OpenAPI what `LoginSessionAuthentication` wants."""

    target_class = "backups_app.api.shared.permissions.LoginSessionAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


IN_THE_PATH: dict[str, dict[str, Any]] = {
    "backup_id": {
        "schema": {"type": "string", "pattern": r"^[0-9]{8}_[0-9]{6}(_[0-9]{2})?$"},
        "example": "20250119_143022",
        "description": "In UTC; a second run in the same second ends with `_01`.",
    },
    "name": {
        "schema": {"type": "string", "minLength": 1},
        "example": "bookings",
        "description": "Percent-encoded, or `~` and its base64url form, as for `.` and `..`.",
    },
    "schedule": {
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "example": "nightly",
        "description": "The name of the schedule, percent-encoded.",
    },
    "session_id": {"schema": {"type": "string", "minLength": 1, "maxLength": 43}},
}


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """For drf-spectacular: say what the parameters in the paths look like, and that bodies hold no other fields."""
    for kind in inputs.Strict.__subclasses__():
        name = get_override(kind, "component_name", kind.__name__)
        component = result["components"]["schemas"].get(f"{name}Request")
        if component is not None:
            component["additionalProperties"] = False
    for item in result["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter |= IN_THE_PATH.get(parameter["name"], {})
    return result


class SchemaView(SpectacularAPIView):
    """GET /api/schema/: JSON, or YAML with `?format=yaml`."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]  # noqa: RUF012

    permission_classes = (AllowAny,)
    authentication_classes = ()
    http_method_names = ("get", "head")
    content_negotiation_class = DefaultContentNegotiation


# Swagger's page writes style attributes; scripts come from our own files only, here as everywhere.
SWAGGER: dict[str, Any] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}


@method_decorator(csp_replace(SWAGGER), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """GET /api/docs/"""

    url_name = "api:schema"
    permission_classes = (AllowAny,)
    authentication_classes = ()
    http_method_names = ("get", "head")
    content_negotiation_class = DefaultContentNegotiation
