"""The database's manners: SQLite pragmas, and the one write lock of the embedded form.

SQLite's busy handler is unfair: under eight writers the tail grows to seconds. A lock file taken
with `flock` before BEGIN IMMEDIATE is fair enough, is shared by the server and the workers, and is
freed by the kernel when its holder is killed. On PostgreSQL the lock is not taken.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created

from annotator.core.errors import Unavailable

WAIT_S = 30.0
_local = threading.local()
_process_lock = threading.Lock()


def _on_connect(sender: Any, connection: Any, **_: Any) -> None:
    """WAL and synchronous FULL: an acknowledged save survives a loss of power."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA mmap_size=134217728")


def install() -> None:
    """Hook the pragmas to every new connection."""
    connection_created.connect(_on_connect, dispatch_uid="concord-pragmas")


def _lock_fd() -> int:
    """This thread's own descriptor of the lock file (flock excludes descriptors, not processes)."""
    path = str(settings.WRITE_LOCK_FILE)
    if getattr(_local, "path", None) != path:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _local.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _local.path = path
    return _local.fd


@contextlib.contextmanager
def write_lock() -> Iterator[None]:
    """Hold the site's write lock; re-entrant in a thread; no-op unless the database is SQLite.

    Raises Unavailable("busy") after WAIT_S seconds.
    """
    if connection.vendor != "sqlite":
        yield
        return
    depth = getattr(_local, "depth", 0)
    if depth:
        _local.depth = depth + 1
        try:
            yield
        finally:
            _local.depth -= 1
        return
    end = time.monotonic() + WAIT_S
    # Threads of one process queue on a lock of their own, so that only processes meet at the file.
    if not _process_lock.acquire(timeout=WAIT_S):
        raise _busy()
    try:
        fd = _lock_fd()
        pause = 0.0005
        # A blocking flock cannot time out without signals, which threads do not get: short sleeps
        # keep the wait bounded. The kernel's queue order among processes is lost, the bound is not.
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise _busy() from None
                time.sleep(pause)
                pause = min(pause * 1.5, 0.005)
        _local.depth = 1
        try:
            yield
        finally:
            _local.depth = 0
            fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        _process_lock.release()


def _busy() -> Unavailable:
    return Unavailable(
        "busy",
        "The server is busy writing. Nothing was changed.",
        cure="Send the same request again.",
        retry_after=5,
    )
