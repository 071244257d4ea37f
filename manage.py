#!/usr/bin/env python
"""TempleOps from the command line: `python manage.py help` lists what it can do."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error

from backups_app.access import records
from backups_app.management import streams


def main() -> None:
    streams.make_lasting()
    os.umask(0o077)  # what is made here, such as the SQLite file, holds secrets
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "templeops.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:  # it names what to correct; a traceback would hide that
        sys.exit(str(wrong))
    except Error as lost:
        if not records.is_unavailable(lost):
            raise
        sys.exit(f"The database of users and audit rows cannot be used: check DATABASE_URL. {records.reason(lost)}")
    finally:
        streams.end()


if __name__ == "__main__":
    main()
