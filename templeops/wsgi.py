"""The WSGI entry point that gunicorn serves."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from templeops import start_up

os.umask(0o077)  # what is made here, such as the SQLite file's journals, holds secrets
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "templeops.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as wrong:  # it names what to correct; a traceback would hide that
    sys.exit(str(wrong))
start_up.make_files_private()
start_up.load_addresses()
