"""Counts of a run in words: each agrees with its number, in the language of the page."""

from __future__ import annotations

from django.utils.translation import ngettext

from backups_app import formats


def collections(count: int) -> str:
    """Return `20 collections`."""
    return ngettext("%(n)s collection", "%(n)s collections", count) % {"n": count}


def documents(count: int) -> str:
    """Return `3,885 documents`."""
    return ngettext("%(n)s document", "%(n)s documents", count) % {"n": formats.grouped(count)}


def changed_and_kept(count: int) -> str:
    """Return the sentence about documents that a deletion left, because they had changed."""
    return ngettext(
        "%(n)s document changed meanwhile and was kept.", "%(n)s documents changed meanwhile and were kept.", count
    ) % {"n": formats.grouped(count)}


def edited_and_kept(count: int) -> str:
    """Return the sentence about documents that a restore left, because they had been edited."""
    return ngettext(
        "%(n)s document was edited meanwhile and was kept.",
        "%(n)s documents were edited meanwhile and were kept.",
        count,
    ) % {"n": formats.grouped(count)}


def compared_with_plan(count: int) -> str:
    """Return how many documents a restore compared afterwards."""
    return ngettext(
        "%(n)s document compared with the plan, hash by hash",
        "%(n)s documents compared with the plan, hash by hash",
        count,
    ) % {"n": formats.grouped(count)}


def not_as_planned(count: int) -> str:
    """Return `2 are not as planned`."""
    return ngettext("%(n)s is not as planned", "%(n)s are not as planned", count) % {"n": formats.grouped(count)}
