"""Makes a collection that exists on one side only on the other one too, with its options and indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import OperationFailure

from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.sync import listing
from backups_app.sync.listing import Planned
from backups_app.sync.sides import SideAccess

_NAMESPACE_EXISTS = 48
_NOT_OPTIONS = frozenset({"autoIndexId", "uuid"})


def create(*, planned: Planned, source: SideAccess, target: SideAccess) -> list[str]:
    """Create the collection on `target` as it is on `source`. Return a sentence for whatever could not be made alike.

    Raise `DatabaseUnreachable`; PyMongoError when the server does not allow it.
    """
    options = {name: value for name, value in planned.infos[source.side]["options"].items() if name not in _NOT_OPTIONS}
    with connections.reachable(target.side):
        try:
            target.database.command({"create": planned.name, **options})
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise
    return create_missing_indexes(name=planned.name, source=source, target=target)


def create_missing_indexes(*, name: str, source: SideAccess, target: SideAccess) -> list[str]:
    """Create on `target` the indexes that `source` has and it lacks. Return a sentence for each that was refused."""
    with connections.reachable(source.side):
        wanted = list(source.collection(name).list_indexes())
    with connections.reachable(target.side):
        there = {spec["name"] for spec in target.collection(name).list_indexes()}
        missing = [spec for spec in wanted if spec["name"] not in there and not spec.get("clustered")]
        return [refusal for spec in missing if (refusal := _create_index(target, name, spec))]


def compare_indexes(*, name: str, local: SideAccess, remote: SideAccess) -> list[str]:
    """Return in sentences how the indexes of a collection differ."""
    with connections.reachable(Side.LOCAL):
        here = list(local.collection(name).list_indexes())
    with connections.reachable(Side.REMOTE):
        there = list(remote.collection(name).list_indexes())
    return listing.index_differences(local=here, remote=there)


def _create_index(target: SideAccess, name: str, spec: Mapping[str, Any]) -> str | None:
    wanted = {key: value for key, value in spec.items() if key not in ("ns", "background")}
    try:
        target.database.command({"createIndexes": name, "indexes": [wanted]})
    except OperationFailure as error:
        if connections.is_unreachable(error):
            raise
        refusal = (error.details or {}).get("codeName", f"code {error.code}")
        return f"index {spec['name']} could not be made on the {target.side.value} side ({refusal})"
    return None
