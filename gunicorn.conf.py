"""How gunicorn serves TempleOps: read by `manage.py serve`, and by `gunicorn templeops.wsgi` in this directory."""

from pathlib import Path
from typing import Any

wsgi_app = "templeops.wsgi"
chdir = str(Path(__file__).resolve().parent)

# A thread is given to a request that has arrived, never to one that is still being sent: see the worker's module.
worker_class = "templeops.buffering_worker.BufferingWorker"
workers = 2  # so that one long answer never stops the pages
threads = 8
worker_connections = 400  # a worker: below the usual limit of 1,024 open files

# A worker whose event loop is silent for so long is replaced. A POST that waits for its backup is a thread of it, and
# keeps nothing silent: it may wait for BACKUP_SYNC_WAIT_SECONDS whatever stands here.
timeout = 60
graceful_timeout = 25  # what a worker that stops may still need for its requests; others serve meanwhile
keepalive = 5

umask = 0o077
loglevel = "warning"
logger_class = "templeops.gunicorn_lines.Lines"  # as LOG_FORMAT says; requests too with --access-logfile -
control_socket_disable = True

# Who may say by X-Forwarded-Proto that a request came by HTTPS is TRUSTED_PROXIES' matter (docs/operations.md), not
# gunicorn's: it hands the header on and trusts nobody.
forwarded_allow_ips = ""


def post_worker_init(worker: Any) -> None:
    """Let gunicorn's lines bear the id of the request and hold no secret, as ours do."""
    worker.log.application_loaded()
