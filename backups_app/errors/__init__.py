"""Every failure an administrator can meet: its name, its stable code, and what is safe and what to do.

One module a subject: `refused` (nothing began), `request` (what was sent), `missing`, `database`, `backup`, `sync`,
`restore`, `retention`, `schedules`, `notification`, `copies`, `encryption`, `access`.
`status` is the HTTP answer, `exit_code` the command's (`docs/operations.md`). The sentence may use
facts given to the constructor; it never holds a URI, a password or an absolute path.
"""

# ruff: noqa: F403  (a name is added in one file, and imported from here)

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from backups_app.errors.access import *
from backups_app.errors.backup import *
from backups_app.errors.base import TempleOpsError as TempleOpsError
from backups_app.errors.copies import *
from backups_app.errors.database import *
from backups_app.errors.encryption import *
from backups_app.errors.missing import *
from backups_app.errors.notification import *
from backups_app.errors.refused import *
from backups_app.errors.request import *
from backups_app.errors.restore import *
from backups_app.errors.retention import *
from backups_app.errors.schedules import *
from backups_app.errors.sync import *


def by_code() -> Mapping[str, type[TempleOpsError]]:
    """Return the named failures by their stable code. Kinds of one failure share its code: the general one is named."""
    return _by_code(TempleOpsError.kinds)


@lru_cache(maxsize=1)
def _by_code(kinds: int) -> Mapping[str, type[TempleOpsError]]:
    """Return them for so many kinds. A list of copies asks once for each row."""
    found: dict[str, type[TempleOpsError]] = {}
    waiting = [TempleOpsError]
    while waiting:
        kind = waiting.pop(0)
        found.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return MappingProxyType(found)
