"""Template filters that sort the copies of one backup for a cell of a table."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from backups_app.use_cases.copies.overview import Copy

register = template.Library()


@register.filter
def on_this_disk(copies: Iterable[Copy]) -> list[Copy]:
    """The complete copies that would be lost with this computer: one line names them together."""
    return [copy for copy in copies if _is_on_this_disk(copy)]


@register.filter
def not_on_this_disk(copies: Iterable[Copy]) -> list[Copy]:
    """All others, each with a line of its own."""
    return [copy for copy in copies if not _is_on_this_disk(copy)]


def _is_on_this_disk(copy: Copy) -> bool:
    return copy.is_complete and not copy.elsewhere and copy.away is None
