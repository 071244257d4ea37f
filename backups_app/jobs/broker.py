"""Celery over Redis or RabbitMQ: says to every worker that a job waits.

Each worker has a queue of its own for as long as it is connected. So a message never lies behind a worker that is busy,
and none is left when no worker runs.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings

from backups_app import url_parts

logger = logging.getLogger(__name__)

WAKE_UP = "templeops.wake_up"
EXCHANGE = "templeops"
ANSWER_SECONDS = 2.0
"""So long a request waits for a broker that does not answer."""
LOOK_SECONDS = 5.0
"""How often a worker looks for jobs that no message named."""
SOCKET_TIMEOUTS = {
    "redis": ("socket_connect_timeout", "socket_timeout"),
    "amqp": ("connect_timeout", "read_timeout", "write_timeout"),
}
SILENT_SECONDS = 60
"""A broker that stays silent for so long is asked for a sign of life."""


def is_configured() -> bool:
    """Whether JOBS_BROKER_URL names a broker."""
    return bool(settings.JOBS_BROKER_URL)


def application() -> Any:
    """Return the Celery application of the broker in JOBS_BROKER_URL."""
    return _application(settings.JOBS_BROKER_URL)


@cache
def _application(url: str) -> Any:
    # Optional libraries: where they are needed and missing, the settings are refused (templeops/wrong_settings.py).
    from celery import Celery

    celery = Celery("templeops", broker=url, set_as_current=False, fixups=[])
    celery.conf.update(
        task_queues=[_queue()],
        task_default_queue=EXCHANGE,
        task_ignore_result=True,
        task_acks_late=False,
        broker_connection_timeout=ANSWER_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_use_ssl=_tls(url),
        broker_heartbeat=SILENT_SECONDS,
        broker_transport_options={"health_check_interval": SILENT_SECONDS} if url.startswith("redis") else {},
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    return celery


def _queue() -> Any:
    """Return a new queue of one listener, in the exchange of all."""
    from kombu.common import Broadcast

    return Broadcast(EXCHANGE, exclusive=True)  # type: ignore[no-untyped-call]


def _tls(url: str) -> Mapping[str, Any]:
    """Return the options by which a certificate is checked with the host of the URL. Without, drivers accept any."""
    parts = url_parts.split(url)
    if parts.scheme == "rediss":
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    if parts.scheme == "amqps":
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname}
    return {}


def _connection() -> Any:
    """Return a connection for one message. A new one each time: messages are few, and an old one may be dead."""
    names = SOCKET_TIMEOUTS["redis" if settings.JOBS_BROKER_URL.startswith("redis") else "amqp"]
    return application().connection_for_write(transport_options=dict.fromkeys(names, ANSWER_SECONDS))


def wake_workers() -> None:
    """Say that a job waits. Never raises: without a broker, workers find the job when they look."""
    if is_configured():
        _failure(_send)


def failure() -> str | None:
    """Return the driver's name of what keeps workers from listening to the broker, None where they can."""
    return _failure(_listen_once)


def _send(connection: Any) -> None:
    exchange = application().amqp.default_queue.exchange
    application().send_task(WAKE_UP, connection=connection, declare=[exchange], retry=False)


def _listen_once(connection: Any) -> None:
    """Make a queue as a worker does, and delete it: a Redis whose memory is full answers, and takes none."""
    queue = _queue()(connection.default_channel)
    queue.declare()
    queue.delete()


def _failure(act: Callable[[Any], None]) -> str | None:
    """Carry out one exchange with the broker. Return the name of its failure, None where there was none."""
    try:
        with _connection() as connection:
            act(connection)
    except Exception as error:  # noqa: BLE001  (each driver has its own failures, and the job is on record)
        logger.warning("The broker of JOBS_BROKER_URL does not answer", extra={"reason": type(error).__name__})
        return type(error).__name__
    return None
