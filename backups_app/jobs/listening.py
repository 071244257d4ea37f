"""A worker's thread that hears that a job waits. Without a broker it stays silent, and tries again."""

from __future__ import annotations

import logging
import threading
from typing import Any

from backups_app.jobs import broker

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0


def start(*, woken: threading.Event) -> None:
    """Listen in a thread that ends with the process; set `woken` when a job waits."""
    # One line when the broker is lost, not one for each message and each try.
    logging.getLogger("celery").setLevel(logging.ERROR)
    threading.Thread(target=_listen, args=(woken,), name="broker", daemon=True).start()


def _listen(woken: threading.Event) -> None:
    pause = threading.Event()
    while True:
        try:
            _hear(woken)
        except Exception:
            logger.exception("The broker of JOBS_BROKER_URL cannot be listened to")
        pause.wait(AGAIN_SECONDS)


def _hear(woken: threading.Event) -> None:
    """Listen until Celery gives up. It connects again by itself; what was sent meanwhile is found by looking."""
    application = broker.application()

    def wake_up() -> None:
        woken.set()

    def ready(_: Any) -> None:
        logger.info("Listening to the broker")
        woken.set()

    application.task(wake_up, name=broker.WAKE_UP)
    application.WorkController(
        pool="solo", concurrency=1, ready_callback=ready, without_gossip=True, without_mingle=True,
        without_heartbeat=True,
    ).start()  # fmt: skip
