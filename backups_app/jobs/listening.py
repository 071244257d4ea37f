"""A worker's thread that hears that a job waits. Without a broker it stays silent, and tries again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from backups_app.jobs import broker

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0
AGAIN_AT_MOST_SECONDS = 60.0


class OneLine(logging.Filter):
    """Makes one line of what ended Celery's listening: its traceback goes through libraries alone, at each try."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = "The broker of JOBS_BROKER_URL cannot be listened to", ()
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.reason = record.exc_info[0].__name__
            record.exc_info = record.exc_text = None
        return True


def start(*, woken: threading.Event) -> None:
    """Listen in a thread that ends with the process; set `woken` when a job waits."""
    # One line when the broker is lost, not one for each message and each try.
    logging.getLogger("celery").setLevel(logging.ERROR)
    logging.getLogger("celery.worker").addFilter(OneLine())
    threading.Thread(target=_listen, args=(woken,), name="broker", daemon=True).start()


def _listen(woken: threading.Event) -> None:
    """Listen again whenever Celery gives up, after a pause that doubles as long as nothing is heard."""
    pause, seconds = threading.Event(), AGAIN_SECONDS
    heard = threading.Event()

    def wake_up() -> None:
        woken.set()

    def ready(_: Any) -> None:
        logger.info("Listening to the broker")
        heard.set()
        woken.set()

    broker.application().task(wake_up, name=broker.WAKE_UP)
    while True:
        heard.clear()
        try:
            _hear(ready)
        except Exception:
            logger.exception("The broker of JOBS_BROKER_URL cannot be listened to")
        seconds = AGAIN_SECONDS if heard.is_set() else min(2 * seconds, AGAIN_AT_MOST_SECONDS)
        pause.wait(seconds)


def _hear(ready: Callable[[Any], None]) -> None:
    """Listen until Celery gives up. It connects again by itself; what was sent meanwhile is found by looking."""
    broker.application().WorkController(
        pool="solo", concurrency=1, ready_callback=ready, without_gossip=True, without_mingle=True,
        without_heartbeat=True,
    ).start()  # fmt: skip
