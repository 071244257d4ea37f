"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from templeops import start_up

os.umask(0o077)  # what is made here, such as the SQLite file's journals, holds secrets
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "templeops.settings")
application = get_wsgi_application()
start_up.make_files_private()
