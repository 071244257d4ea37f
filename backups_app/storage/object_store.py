"""A target in a bucket: S3 and what speaks like it, Azure Blob, Google Cloud Storage. By obstore.

The store is made at the first use, in the process that uses it: obstore hangs after a fork. Its own error texts hold
addresses and key ids, so they are neither kept nor chained.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import AzureStore, GCSStore, S3Store

from backups_app.errors import (
    BucketMissing,
    ObjectExists,
    ObjectMissing,
    TargetClockDiffers,
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetKeyMissing,
    TargetMisconfigured,
    TargetNotEncrypted,
    TargetUnreachable,
)
from backups_app.storage import target as targets
from backups_app.storage.etags import PART_BYTES
from backups_app.storage.target import ObjectHead

KINDS: Mapping[str, Callable[..., Any]] = {"s3": S3Store, "az": AzureStore, "gs": GCSStore}
PARTS_AT_ONCE = 4
RETRIES = {
    "max_retries": 10,
    "retry_timeout": timedelta(minutes=3),
    "backoff": {"init_backoff": timedelta(seconds=0.5), "max_backoff": timedelta(seconds=15), "base": 2},
}
"""The library's default failed an outage of two seconds."""
ONE_TRY = {**RETRIES, "max_retries": 1, "retry_timeout": timedelta(seconds=10)}
SHORT_TIMES = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=15)}
"""Somebody waits for the answer to a test of the connection."""
TIMES = {"connect_timeout": timedelta(seconds=15), "timeout": timedelta(minutes=15)}
"""A part over a line of 10 kB/s arrives in a quarter of an hour."""

_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_KEY = re.compile(r"[A-Za-z_]+")

OWN_KEYS = "://169.254.169.254/"
"""Without a key the library asks the machine's provider for one there: S3, Azure."""

CODES: Mapping[str, type[TargetFailed]] = {
    "NoSuchBucket": BucketMissing,
    "ContainerNotFound": BucketMissing,
    "AccountIsDisabled": TargetDenied,
    "RequestTimeTooSkewed": TargetClockDiffers,
    "RequestExpired": TargetClockDiffers,
    "XMinioStorageFull": TargetFull,
    "XMinioAdminBucketQuotaExceeded": TargetFull,
    "QuotaExceeded": TargetFull,
    "QuotaExceededException": TargetFull,
    "StorageQuotaExceeded": TargetFull,
    "StorageCapExceeded": TargetFull,
    "InsufficientCapacity": TargetFull,
    "InsufficientStorage": TargetFull,
}
STATUSES: Mapping[str, type[TargetFailed]] = {
    "401": TargetDenied,
    "403": TargetDenied,
    "404": ObjectMissing,
    "409": ObjectExists,
    "412": ObjectExists,
    "429": TargetUnreachable,
    "502": TargetUnreachable,
    "503": TargetUnreachable,
    "504": TargetUnreachable,
    "507": TargetFull,
}


class ObjectStoreTarget:
    """Keeps objects in a bucket under one prefix."""

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        bucket: str,
        prefix: str,
        options: Mapping[str, str],
        allow_http: bool = False,
        is_refused: bool = False,
    ) -> None:
        """Given the target's name, its kind (`s3`, `az`, `gs`), where in it, and the options of the store by obstore's
        names. `allow_http` lets it be spoken to without encryption; `is_refused`: nobody allowed that, and there is no
        other way. Nothing is opened yet."""
        self.name = name
        self._make = KINDS[kind]
        self._bucket = bucket
        self._prefix = prefix
        self._options = dict(options)
        self._allow_http = allow_http
        self._is_refused = is_refused

    @cached_property
    def _store(self) -> Any:
        return self._open(retries=RETRIES, times=TIMES)

    def _open(self, *, retries: Mapping[str, Any], times: Mapping[str, Any]) -> Any:
        if self._is_refused:
            raise TargetNotEncrypted(target=self.name)
        try:
            return self._make(
                self._bucket,
                prefix=self._prefix or None,
                config=self._options,
                client_options={"allow_http": self._allow_http, **times},
                retry_config=dict(retries),
            )
        except (BaseError, ValueError, TypeError) as error:
            raise TargetMisconfigured(target=self.name, setting=_wrong_setting(error, self._options)) from None

    def check(self) -> None:
        store = self._open(retries=ONE_TRY, times=SHORT_TIMES)
        with self._named():
            next(iter(obstore.list(store, chunk_size=1)), None)

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        pieces = _of_a_part(chunks)
        first = next(pieces, b"")
        second = next(pieces, None)
        targets.require_name(name)
        if second is None:
            self._put_whole(name, first)
        else:
            self._put_parts(name, itertools.chain((first, second), pieces))

    def head(self, name: str) -> ObjectHead:
        try:
            with self._named():
                return _head(obstore.head(self._store, targets.require_name(name)))
        except TargetDenied:
            self.check()  # an answer to HEAD has no body: a listing is refused with the reason
            raise

    def read(self, name: str) -> Iterator[bytes]:
        """In ranges: one request for a large object would outlast every limit of time."""
        size = self.head(name).size_bytes
        for start in range(0, size, PART_BYTES):
            with self._named():
                part = obstore.get_range(self._store, name, start=start, end=min(start + PART_BYTES, size))
            yield bytes(part)

    def list_objects(self) -> Iterator[ObjectHead]:
        with self._named():
            for chunk in obstore.list(self._store):
                yield from (_head(meta) for meta in chunk if targets.is_name(meta["path"]))

    def delete(self, name: str) -> None:
        with suppress(ObjectMissing), self._named():
            obstore.delete(self._store, targets.require_name(name))

    def _put_whole(self, name: str, data: bytes) -> None:
        try:
            with self._named():
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
        except _NoCreateOnly:  # a store without conditional puts
            self._require_absent(name)
            with self._named():
                obstore.put(self._store, name, data, use_multipart=False)

    def _put_parts(self, name: str, pieces: Iterator[bytes]) -> None:
        """No store creates in parts on a condition: the name is looked for first, and no other attempt has it."""
        self._require_absent(name)
        source = _Source(pieces)
        try:
            with self._named():
                obstore.put(self._store, name, source, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        except TargetFailed:
            if source.failure is not None:
                raise source.failure from None
            raise

    def _require_absent(self, name: str) -> None:
        with suppress(ObjectMissing):
            self.head(name)
            raise ObjectExists(target=self.name)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name what goes wrong in the block, without the library's own text."""
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            failure = _failure(error)
        else:
            return
        raise failure(target=self.name)


class _NoCreateOnly(TargetFailed):
    """The store does not know a put on the condition that nothing is there."""


class _Source:
    """Hands pieces on, and keeps the failure of the one who makes them: the library may answer with its text alone."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            raise
        except BaseException as error:
            self.failure = error
            raise


def _of_a_part(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of one part each; the last may be shorter."""
    waiting: list[memoryview] = []
    size = 0
    for chunk in chunks:
        rest = memoryview(chunk)
        while size + len(rest) > PART_BYTES:
            missing = PART_BYTES - size
            yield b"".join([*waiting, rest[:missing]])
            waiting, size, rest = [], 0, rest[missing:]
        waiting.append(rest)
        size += len(rest)
    if size:
        yield b"".join(waiting)


def _head(meta: Mapping[str, Any]) -> ObjectHead:
    return ObjectHead(
        name=meta["path"],
        size_bytes=meta["size"],
        modified_at=meta["last_modified"],
        e_tag=(meta["e_tag"] or "").strip('"'),
    )


def _failure(error: Exception) -> type[TargetFailed]:
    """Return what a failure of the library means: by the code of the store's answer, its type, then its HTTP status."""
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    if OWN_KEYS in text:
        return TargetKeyMissing
    if code is not None and code[1] in CODES:
        return CODES[code[1]]
    if isinstance(error, NotSupportedError) or (status is not None and status[1] == "501"):
        return _NoCreateOnly
    if isinstance(error, AlreadyExistsError | PreconditionError):
        return ObjectExists
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return TargetDenied
    if status is not None:
        return STATUSES.get(status[1], TargetFailed)
    if isinstance(error, FileNotFoundError):
        return ObjectMissing
    return TargetUnreachable if "HTTP error" in text else TargetFailed


def _wrong_setting(error: Exception, options: Mapping[str, str]) -> str:
    """Return the name of the option that the library refuses, as a setting spells it; else that of the address."""
    if isinstance(error, UnknownConfigurationKeyError):
        refused = [key for key in options if f"'{key}'" in str(error) or f'"{key}"' in str(error)]
        return (refused or [""])[0].upper() or "BACKUP_TARGETS"
    missing = [key for key in _KEY.findall(str(error)) if key in options]
    return missing[0].upper() if missing else "BACKUP_TARGETS"
