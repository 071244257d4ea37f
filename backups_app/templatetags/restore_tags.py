"""Template tags of the restore pages."""

from __future__ import annotations

from django import template

from backups_app import formats
from backups_app.pages.restore.restore_address import RestoreQuery
from backups_app.restore.preview import PreviewedCollection

register = template.Library()


@register.simple_tag
def restore_step_url(asked: RestoreQuery, step: int) -> str:
    """The same choices at another step."""
    return asked.at(step).url


@register.simple_tag
def restore_staying(row: PreviewedCollection) -> str:
    """How many documents of a collection stay in their own version, or beside what the backup holds."""
    return formats.grouped(row.keep + row.extra)
