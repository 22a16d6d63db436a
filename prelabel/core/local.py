"""Addresses of UNIX sockets in the data folder. Standard library only; safe in the web process and in
children."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def address(folder: Path, name: str) -> Iterator[str]:
    """A path for bind or connect; a long one goes through /proc, since the kernel takes 107 bytes."""
    path = str(folder / name)
    if len(os.fsencode(path)) < 100:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)
