"""Creates on one side a collection that exists on the other side only, with its options and indexes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import OperationFailure

from backups_app.catalog.sync import sync_state
from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.sync import listing
from backups_app.sync.collection_failures import CollectionVanished
from backups_app.sync.listing import PlannedCollection
from backups_app.sync.sides import SideAccess

_NAMESPACE_EXISTS = 48
_NOT_OPTIONS = frozenset({"autoIndexId", "uuid"})


class IndexesHidden(Exception):
    """A server does not list the indexes of a collection: they cannot be compared, documents can."""


@dataclass(kw_only=True)
class Creations:
    """The collections that sync creates on one side, each with that side, until they have all their indexes."""

    sides: dict[str, Side] = field(default_factory=dict)

    @classmethod
    def of_checkpoint(cls, checkpoint: Mapping[str, Any]) -> Creations:
        """Return the creations that earlier syncs did not finish."""
        return cls(sides={one["name"]: Side(one["side"]) for one in checkpoint.get("making", [])})

    def as_checkpoint(self, names: Collection[str]) -> list[dict[str, str]]:
        """Return the unfinished creations among these collections, as the next sync needs them."""
        return [{"name": name, "side": side.value} for name, side in self.sides.items() if name in names]

    def create(self, *, planned: PlannedCollection, target: Side, both: Sequence[SideAccess]) -> PlannedCollection:
        """Create a collection on `target` and return it with both sides. Raise `CollectionVanished`.

        The creation is noted first: if the connection is lost, the next sync creates the indexes.
        """
        with connections.reachable(Side.LOCAL):
            sync_state.note_creation(both[0].database, name=planned.name, side=target.value)
        self.sides[planned.name] = target
        there, source = _target_and_source(both, target)
        create(planned=planned, source=source, target=there)
        with connections.reachable(target):
            made = listing.read(there.database, name=planned.name).get(planned.name)
        if made is None:
            raise CollectionVanished
        return listing.with_side(planned, target, made)

    def finish_indexes(self, *, name: str, both: Sequence[SideAccess]) -> list[str]:
        """Create the missing indexes of a collection that this or an earlier sync created. Return what was refused."""
        target = self.sides.get(name)
        if target is None:
            return []
        there, source = _target_and_source(both, target)
        refused = create_missing_indexes(name=name, source=source, target=there)
        if not refused:
            del self.sides[name]
        return refused


def _target_and_source(both: Sequence[SideAccess], target: Side) -> list[SideAccess]:
    return sorted(both, key=lambda access: access.side is not target)


def create(*, planned: PlannedCollection, source: SideAccess, target: SideAccess) -> None:
    """Create the collection on `target` with the options that it has on `source`, unless it is there by now.

    Raise `DatabaseUnreachable`; PyMongoError when the server does not allow it. Note first that it is being made
    (`sync_state.note_making`): what the line cuts off is then finished by the next sync.
    """
    options = {name: value for name, value in planned.infos[source.side]["options"].items() if name not in _NOT_OPTIONS}
    with connections.reachable(target.side):
        try:
            target.database.command({"create": planned.name, **options})
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise


def create_missing_indexes(*, name: str, source: SideAccess, target: SideAccess) -> list[str]:
    """Create on `target` the indexes that `source` has and it lacks. Return a sentence for each that was refused."""
    try:
        wanted = _indexes(source, name)
        there = {spec["name"] for spec in _indexes(target, name)}
    except IndexesHidden as hidden:
        return [str(hidden)]
    with connections.reachable(target.side):
        missing = [spec for spec in wanted if spec["name"] not in there and not spec.get("clustered")]
        return [refusal for spec in missing if (refusal := _create_index(target, name, spec))]


def compare_indexes(*, name: str, local: SideAccess, remote: SideAccess) -> list[str]:
    """Return in sentences how the indexes of a collection differ."""
    try:
        return listing.index_differences(local=_indexes(local, name), remote=_indexes(remote, name))
    except IndexesHidden as hidden:
        return [str(hidden)]


def _indexes(access: SideAccess, name: str) -> list[Mapping[str, Any]]:
    """Return the indexes of a collection. Raise `IndexesHidden` where the server refuses to list them."""
    with connections.reachable(access.side):
        try:
            return list(access.collection(name).list_indexes())
        except OperationFailure as error:
            if connections.is_unreachable(error):
                raise
            message = messages.INDEXES_NOT_LISTED(side=words.side(access.side.value), reason=_refusal(error))
            raise IndexesHidden(message) from error


def _create_index(target: SideAccess, name: str, spec: Mapping[str, Any]) -> str | None:
    wanted = {key: value for key, value in spec.items() if key not in ("ns", "background")}
    try:
        target.database.command({"createIndexes": name, "indexes": [wanted]})
    except OperationFailure as error:
        if connections.is_unreachable(error):
            raise
        return messages.INDEX_NOT_MADE_ON_SIDE(
            name=spec["name"], side=words.side(target.side.value), reason=_refusal(error)
        )
    return None


def _refusal(error: OperationFailure) -> str:
    return str((error.details or {}).get("codeName") or f"code {error.code}")
