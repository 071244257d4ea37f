"""Encryption of copies by age: a file is encrypted to public keys, and any one of their private keys opens it.

    keys = encryption.new_key_pair()
    for piece in encryption.sealed(source, recipients=[keys.public]): …      the stored bytes, in constant memory
    encryption.unseal(stored, into=file, identities=encryption.read_identities(path))

The format is age's own: stock `age -d -i FILE` opens every file. Private keys are `Identity` objects, which print
nothing.
"""

from __future__ import annotations

import errno
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyrage
from pyrage.x25519 import Identity, Recipient

from backups_app.errors import CopyUnreadable, KeyMissing, KeyNotReadable, WrongKey
from backups_app.messages.protection import storage as messages

_PIECES_AHEAD = 16
"""Pieces of 64 KiB that may wait for the one who takes them."""
_LARGEST_KEY_FILE = 64 * 1024
_NO_KEY_FITS = "No matching keys found"


class ReadableFile(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """A public key, and the private key that opens what is encrypted to it."""

    public: str
    private: str = field(repr=False)


def new_key_pair() -> KeyPair:
    """Return a pair that was never used. Nothing of it is kept here."""
    identity = Identity.generate()
    return KeyPair(public=str(identity.to_public()), private=str(identity))


def is_public_key(text: str) -> bool:
    """Return whether `text` is a public key of age (`age1…`)."""
    try:
        Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


def public_keys(identities: Sequence[Identity]) -> tuple[str, ...]:
    """Return the public keys that belong to private ones."""
    return tuple(str(identity.to_public()) for identity in identities)


def read_identities(path: Path) -> tuple[Identity, ...]:
    """Return the private keys of a key file as age writes them: a line each, `#` begins a comment. Raise
    `KeyNotReadable`."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_KEY_FILE).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise KeyNotReadable(problem=messages.KEY_FILE_MISSING()) from error
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        raise KeyNotReadable(problem=messages.KEY_FILE_UNREADABLE(errno_name=name)) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    found = tuple(_identity(number, line) for number, line in lines if line and not line.startswith("#"))
    if not found:
        raise KeyNotReadable(problem=messages.KEY_FILE_WITHOUT_KEY())
    return found


def _identity(number: int, line: str) -> Identity:
    try:
        return Identity.from_str(line)
    except pyrage.IdentityError:
        # Without the chained error: what stands in the line may be a private key with a typing error.
        raise KeyNotReadable(problem=messages.KEY_FILE_LINE_INVALID(number=number)) from None


def sealed(source: ReadableFile, *, recipients: Sequence[str]) -> Iterator[bytes]:
    """Yield the encrypted form of everything that `source` gives, in pieces of at most 64 KiB and constant memory.

    What `source` raises is raised here. It ends when nobody takes pieces any more.
    """
    pieces: queue.Queue[bytes | None] = queue.Queue(maxsize=_PIECES_AHEAD)
    stream = _Stream(source, pieces)
    thread = threading.Thread(target=stream.seal, args=([*map(Recipient.from_str, recipients)],), daemon=True)
    thread.start()
    try:
        while (piece := pieces.get()) is not None:
            yield piece
    finally:
        stream.abandoned.set()
        with suppress(queue.Empty):
            while True:
                pieces.get_nowait()
        thread.join()
    if stream.failure is not None:
        raise stream.failure


def sealed_bytes(data: bytes, *, recipients: Sequence[str]) -> bytes:
    """Return a small content encrypted."""
    return bytes(pyrage.encrypt(data, [*map(Recipient.from_str, recipients)]))


def unseal(stored: ReadableFile, *, into: Writable, identities: Sequence[Identity]) -> None:
    """Write the clear form of `stored` into `into`, in constant memory. What was written counts only when this returns.

    Raise `KeyMissing`, `WrongKey`, `CopyUnreadable`, and what `stored` and `into` raise.
    """
    if not identities:
        raise KeyMissing()
    reader, writer = _Kept(stored), _Kept(into)
    try:
        pyrage.decrypt_io(reader, writer, identities)
    except (pyrage.DecryptError, OSError) as error:
        for kept in (reader, writer):
            if kept.failure is not None:
                raise kept.failure from None
        raise _named(error) from None


def unsealed_bytes(data: bytes, *, identities: Sequence[Identity]) -> bytes:
    """Return the clear form of a small content. Raises as `unseal`."""
    if not identities:
        raise KeyMissing()
    try:
        return bytes(pyrage.decrypt(data, identities))
    except (pyrage.DecryptError, OSError) as error:
        raise _named(error) from None


def opens(data: bytes, *, identity: Identity) -> bool:
    """Return whether this private key opens a small encrypted content."""
    try:
        unsealed_bytes(data, identities=[identity])
    except (WrongKey, CopyUnreadable):
        return False
    return True


def chunks_as_file(pieces: Iterable[bytes]) -> ReadableFile:
    """Return a file-like reader of what an iterable gives."""
    return _Chunks(iter(pieces))


def _named(error: Exception) -> CopyUnreadable | WrongKey:
    if _NO_KEY_FITS in str(error):
        return WrongKey()
    return CopyUnreadable(problem=messages.ENCRYPTED_PART_DAMAGED())


class _Abandoned(Exception):
    """Nobody takes the pieces any more."""


class _Stream:
    """One encryption in a thread of its own, whose pieces another thread takes."""

    def __init__(self, source: ReadableFile, pieces: queue.Queue[bytes | None]) -> None:
        self._source = _Kept(source)
        self._pieces = pieces
        self.abandoned = threading.Event()
        self.failure: BaseException | None = None

    def seal(self, recipients: list[Recipient]) -> None:
        try:
            pyrage.encrypt_io(self._source, self, recipients)
        except BaseException as error:  # noqa: BLE001  (it is raised where the pieces are taken)
            self.failure = self._source.failure or error
        finally:
            self._hand_over(None)

    def write(self, data: bytes) -> int:
        if not self._hand_over(bytes(data)):
            raise _Abandoned
        return len(data)

    def flush(self) -> None:
        """Every piece is handed over at once."""

    def _hand_over(self, piece: bytes | None) -> bool:
        while not self.abandoned.is_set():
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=0.1)
                return True
        return False


class _Kept:
    """A file whose own failure is kept: the library answers with its text alone, which may hold a path or a secret."""

    def __init__(self, file: ReadableFile | Writable) -> None:
        self._file = file
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)  # type: ignore[union-attr]
        except BaseException as error:
            self.failure = error
            raise

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)  # type: ignore[union-attr]
        except BaseException as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """The owner of the file makes it durable."""


class _Chunks:
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            whole = bytes(self._rest) + b"".join(self._pieces)
            self._rest = memoryview(b"")
            return whole
        if not self._rest:
            self._rest = memoryview(next((piece for piece in self._pieces if piece), b""))
        taken, self._rest = bytes(self._rest[:size]), self._rest[size:]  # no copy of the rest for each reading
        return taken
