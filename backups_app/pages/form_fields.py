"""Names in the fields of forms. A browser sends each line break of a field as CR LF, so a name that holds one travels
as JSON."""

from __future__ import annotations

import json

from django import template

register = template.Library()

MARK = 'json:"'


@register.filter
def as_field(name: str) -> str:
    """Return a name of a collection or document as a field of a form may hold it; `from_field` gives it back."""
    return f"json:{json.dumps(name)}" if "\n" in name or "\r" in name or name.startswith(MARK) else name


def from_field(sent: str) -> str:
    """Return the name that a field, or a link, holds."""
    if not sent.startswith(MARK):
        return sent
    try:
        name = json.loads(sent.removeprefix("json:"))
    except ValueError:
        return sent
    return name if isinstance(name, str) and as_field(name) == sent else sent
