"""What the operator decided about a sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backups_app.sync import edit_time


@dataclass(frozen=True, kw_only=True)
class SyncOptions:
    """What the operator decided about sync.

    `deletes`: `propagate` or `keep`. `exact`: scan everything, whatever the streams say. `adopt`: pair the two again.
    `only`: these collections. `decided`: what an admin stated about blocked collections, `delete` or `keep` by name.
    `remote`: a digest of where Atlas is, left in the local mark.
    """

    deletes: str = "propagate"
    exclude: frozenset[str] = frozenset()
    proof_days: int = 7
    edit_fields: tuple[str, ...] = edit_time.FIELDS
    create_indexes: bool = False
    exact: bool = False
    adopt: bool = False
    dry_run: bool = False
    only: frozenset[str] | None = None
    decided: Mapping[str, str] = field(default_factory=dict)
    remote: str = ""
