"""The worker's housekeeping of the trash: what lay there for a day is unlinked."""

from __future__ import annotations

import logging
from datetime import datetime

from pymongo.errors import PyMongoError

from backups_app.backup_files import trash
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.use_cases.retention import taking_out

logger = logging.getLogger(__name__)


def housekeep(*, configuration: Configuration, now: datetime) -> tuple[str, ...]:
    """Unlink what was thrown away more than a day ago, in our own store and while the clocks agree. Return the names.
    A server that does not answer is no reason to fail: the trash waits."""
    store = preparation.store(configuration)
    try:
        if not (configuration.is_local and configuration.local_url) or not trash.names(store.root):
            return ()
        with connections.reachable(Side.LOCAL):
            database = preparation.local_database(configuration)
            taking_out.require_known_store(store, database)
            taking_out.require_clocks_agree(database)
        return store.empty_trash(older_than=now - trash.KEPT)
    except (TempleOpsError, PyMongoError) as error:
        logger.warning("The trash was not emptied", extra={"reason": type(error).__name__})
        return ()
