"""Which collections are synced and how, from what both servers list: pure, except for reading the lists."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pymongo.database import Database

from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.mongo.structures import structure_differences
from backups_app.records import INTERNAL, Side

Info = Mapping[str, Any]
"""A collection as `listCollections` shows it."""


@dataclass(frozen=True, kw_only=True)
class PlannedCollection:
    """A collection as both sides list it; `infos` lacks a side where it does not exist. `skipped` says why not, and
    `on_purpose` whether somebody decided so or there is nothing to carry over: else sync cannot do it."""

    name: str
    infos: Mapping[Side, Info]
    skipped: str | None = None
    on_purpose: bool = True

    @property
    def type(self) -> str:
        """`collection`, `timeseries`, or `view`."""
        return str(next(iter(self.infos.values()))["type"])

    @property
    def insert_only(self) -> bool:
        """Capped and time-series collections only ever receive inserts."""
        return self.type == "timeseries" or any(info["options"].get("capped") for info in self.infos.values())

    @property
    def missing_on(self) -> Side | None:
        """Return the side that has no such collection, or None."""
        return next((side for side in Side if side not in self.infos), None)

    @property
    def uuids(self) -> dict[str, str]:
        """Return the identity of the collection on each side; it changes when it is dropped and made again."""
        return {side.value: _uuid(info) for side, info in self.infos.items()}

    def collation(self, side: Side) -> Mapping[str, Any] | None:
        """Return the default collation on a side, None for the simple one."""
        info = self.infos.get(side)
        return info["options"].get("collation") if info else None


def read(database: Database[Any], *, name: str | None = None) -> dict[str, Info]:
    """Return the collections of a database by name, or only the one of this name. Raise PyMongoError."""
    return {info["name"]: info for info in database.list_collections(filter={"name": name} if name else None)}


def plan(
    *,
    local: Mapping[str, Info],
    remote: Mapping[str, Info],
    exclude: Several[str],
    only: Several[str] | None,
) -> list[PlannedCollection]:
    """Given both lists, return every collection of the temple in the order of copying: by name, which puts the chunks
    of a GridFS bucket before its files."""
    planned = []
    for name in sorted(local.keys() | remote.keys()):
        if name in INTERNAL or name.startswith("system."):
            continue
        infos = {side: infos[name] for side, infos in ((Side.LOCAL, local), (Side.REMOTE, remote)) if name in infos}
        wanted = _unwanted(name, infos, exclude, only)
        cannot = None if wanted else _of_two_kinds(infos)
        planned.append(PlannedCollection(name=name, infos=infos, skipped=wanted or cannot, on_purpose=cannot is None))
    return planned


def with_side(planned: PlannedCollection, side: Side, info: Info) -> PlannedCollection:
    """Return the collection with what is on `side` by now: somebody else may have made it, of another kind."""
    infos = {**planned.infos, side: info}
    cannot = _of_two_kinds(infos)
    return replace(planned, infos=infos, skipped=cannot, on_purpose=cannot is None)


def _unwanted(name: str, infos: Mapping[Side, Info], exclude: Several[str], only: Several[str] | None) -> str | None:
    if name in exclude:
        return messages.EXCLUDED()
    if only is not None and name not in only:
        return messages.NOT_ASKED_FOR()
    if all(info["type"] == "view" for info in infos.values()):
        return messages.VIEW_WITHOUT_DOCUMENTS()
    return None


def _of_two_kinds(infos: Mapping[Side, Info]) -> str | None:
    if len({str(info["type"]) for info in infos.values()}) > 1:
        return messages.TYPES_DIFFER(
            local=words.collection_type(infos[Side.LOCAL]["type"]),
            remote=words.collection_type(infos[Side.REMOTE]["type"]),
        )
    if len({bool(info["options"].get("capped")) for info in infos.values()}) > 1:
        return messages.CAPPED_ON_ONE_SIDE()
    return None


def differences(planned: PlannedCollection) -> list[str]:
    """Return in sentences how the options of a collection differ between the sides."""
    if planned.missing_on is not None:
        return []
    local, remote = (planned.infos[side]["options"] for side in Side)
    return [
        messages.OPTION_DIFFERS(name=name)
        for name in sorted(local.keys() | remote.keys())
        if structure_differences.option(local, name) != structure_differences.option(remote, name)
    ]


def index_differences(*, local: Sequence[Info], remote: Sequence[Info]) -> list[str]:
    """Given the indexes of both sides, return in sentences which are missing or differ."""
    here, there = ({spec["name"]: _essence(spec) for spec in specs} for specs in (local, remote))
    found: list[str] = [messages.INDEX_MISSING_ON_ATLAS(name=name) for name in sorted(here.keys() - there.keys())]
    found += [messages.INDEX_MISSING_LOCALLY(name=name) for name in sorted(there.keys() - here.keys())]
    found += [
        messages.INDEX_DIFFERS(name=name) for name in sorted(here.keys() & there.keys()) if here[name] != there[name]
    ]
    return found


def _essence(spec: Info) -> dict[str, Any]:
    essence = {name: value for name, value in spec.items() if name not in ("v", "ns", "background")}
    return essence | {"key": list(spec["key"].items())}


def _uuid(info: Info) -> str:
    uuid = info.get("info", {}).get("uuid")
    return "" if uuid is None else bytes(uuid if isinstance(uuid, bytes) else uuid.bytes).hex()
