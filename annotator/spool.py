"""Where bodies wait for their job: files under the data folder, named at random, gone when the job has ended.

A spooled file belongs to the request that writes it, then to one job. `sweep` removes what neither has any more.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

OLD_S = 3600


def folder() -> Path:
    """The spool folder, made on first use."""
    place = Path(settings.DATA) / "spool"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def path(name: str) -> Path:
    """Where a spooled file lies. Names come from `write` only."""
    if "/" in name or name.startswith("."):
        raise ValueError("not a spool name")
    return folder() / name


def write(chunks: Iterable[bytes]) -> tuple[Path, str, int]:
    """Spool a stream: (file, sha256, bytes), synced. Nothing is left when the stream breaks off."""
    place = path(f"in-{secrets.token_hex(12)}")
    sha, size = hashlib.sha256(), 0
    try:
        with open(place, "xb") as file:
            for chunk in chunks:
                sha.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return place, sha.hexdigest(), size


def drop(name: str) -> None:
    """Remove a spooled file, if it is there."""
    path(name).unlink(missing_ok=True)


def sweep(keep: set[str]) -> int:
    """Remove files that no unfinished job names and that nobody has written to for an hour. Returns how many."""
    n, now = 0, time.time()
    for place in folder().iterdir():
        if place.name not in keep and now - place.stat().st_mtime > OLD_S:
            place.unlink(missing_ok=True)
            n += 1
    return n
