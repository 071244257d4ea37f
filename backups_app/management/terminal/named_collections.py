"""`--collections`: given once with commas between the names, or once for each name, which may hold commas itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backups_app.errors import InvalidInput


def chosen(values: Sequence[str], *, held: Collection[str]) -> list[str]:
    """Given what stood behind each `--collections` and the names that the backup holds, return the names meant.

    A value that is a name is that one; any other is a list of names with commas between them. Raise InvalidInput for
    the only value when it is both.
    """
    names = [name for value in values for name in ([value] if value in held else value.split(",")) if name]
    if len(values) == 1 and names == list(values) and "," in names[0]:
        parts = [part for part in names[0].split(",") if part]
        if parts and all(part in held for part in parts):
            raise InvalidInput(
                message=f'"{names[0]}" is the name of one collection and a list of others. '
                "For the one, repeat the option with the same name; for the others, give it once for each."
            )
    return list(dict.fromkeys(names))
