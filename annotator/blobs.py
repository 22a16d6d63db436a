"""The blob store: immutable bytes named by their sha256, as files under the data folder.

A blob is written to a temporary name, synced, then linked to its final name: a reader sees all of
it or nothing. Who may read a blob is decided by the row that names it, never here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from django.conf import settings

from annotator.core.errors import NotFound

CHUNK = 1 << 20


def root() -> Path:
    """The folder of all blobs."""
    return Path(settings.DATA) / "blobs"


def path(digest: str) -> Path:
    """Where the blob lies (whether or not it does)."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise NotFound()
    return root() / digest[:2] / digest[2:]


def exists(digest: str) -> bool:
    """True when the blob is stored whole."""
    return path(digest).exists()


def put(data: bytes) -> str:
    """Store bytes; returns the digest. Storing the same bytes again writes nothing."""
    digest = hashlib.sha256(data).hexdigest()
    if not path(digest).exists():
        with temporary() as (file, place):
            file.write(data)
            _keep(file, place, digest)
    return digest


def put_stream(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Store a stream; returns digest and size. Memory stays flat."""
    sha = hashlib.sha256()
    size = 0
    with temporary() as (file, place):
        for chunk in chunks:
            sha.update(chunk)
            size += len(chunk)
            file.write(chunk)
        digest = sha.hexdigest()
        if not path(digest).exists():
            _keep(file, place, digest)
    return digest, size


def adopt(source: Path, digest: str, *, keep: bool = False) -> None:
    """Move a complete file (same file system) into the store under its known digest.

    With `keep` the source stays under its old name too (where the file system has hard links), until the row that
    names the blob is there: a repeat after a kill in between finds its bytes.
    """
    target = path(digest)
    if target.exists():
        if not keep:
            source.unlink(missing_ok=True)
        return
    with open(source, "rb") as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (keep and _linked(source, target)):
        os.replace(source, target)
    _sync_folder(target.parent)


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return True  # the same bytes came from elsewhere meanwhile
    except OSError:
        return False
    return True


def read(digest: str) -> bytes:
    """The whole blob. Raises NotFound."""
    try:
        return path(digest).read_bytes()
    except FileNotFoundError:
        raise NotFound() from None


def open_blob(digest: str) -> IO[bytes]:
    """An open file of the blob. Raises NotFound."""
    try:
        return open(path(digest), "rb")
    except FileNotFoundError:
        raise NotFound() from None


@contextlib.contextmanager
def temporary(suffix: str = "") -> Iterator[tuple[IO[bytes], Path]]:
    """A temporary file on the store's file system, gone at the end unless it was kept."""
    folder = Path(settings.DATA) / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=folder, suffix=suffix)
    place = Path(name)
    try:
        with os.fdopen(fd, "w+b") as file:
            yield file, place
    finally:
        place.unlink(missing_ok=True)


def _keep(file: IO[bytes], place: Path, digest: str) -> None:
    """Give an open temporary file its final name, durably."""
    file.flush()
    os.fsync(file.fileno())
    target = path(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    # rename, not link: some file systems have no hard links; temporary() tolerates the moved name
    os.replace(place, target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
