"""Encoder maps kept on disk under (sha256 of the picture, encoder id, view): a picture is encoded once in
its life.

Files are written under a temporary name and moved into place; a cut or foreign file is made again. No torch
in here.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Maps = Mapping[str, NDArray[Any]]
DISK_BYTES = 4 * 1024**3
MEMORY_BYTES = 512 * 1024**2


class FeatureCache:
    """Maps by key; the youngest stay in memory up to `memory_bytes`, the disk is kept under `disk_bytes` by
    `prune`."""

    def __init__(self, folder: Path, memory_bytes: int = MEMORY_BYTES, disk_bytes: int = DISK_BYTES) -> None:
        self.folder = folder
        self.memory_bytes = memory_bytes
        self.disk_bytes = disk_bytes
        self._memory: OrderedDict[str, Maps] = OrderedDict()
        self._used = 0

    def get(self, sha256: str, encoder_id: str, view: str, make: Callable[[], Maps]) -> Maps:
        """The maps of one view of one picture; `make` is called when they are not there. No sha256: never
        stored."""
        if not sha256:
            return make()
        key = f"{encoder_id}/{sha256[:2]}/{sha256}-{view}"
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        path = self.folder / f"{key}.npz"
        maps = self._read(path)
        if maps is None:
            maps = dict(make())
            self._write(path, maps)
        size = sum(array.nbytes for array in maps.values())
        if size <= self.memory_bytes:
            self._memory[key] = maps
            self._used += size
            while self._used > self.memory_bytes:
                _key, old = self._memory.popitem(last=False)
                self._used -= sum(array.nbytes for array in old.values())
        return maps

    def prune(self) -> int:
        """Deletes the files not used for longest until the folder is under its limit; returns how many."""
        entries = []
        for path in self.folder.rglob("*.npz"):
            with contextlib.suppress(FileNotFoundError):
                state = path.stat()
                entries.append((state.st_mtime, state.st_size, path))
        total = sum(size for _at, size, _path in entries)
        gone = 0
        for _at, size, path in sorted(entries, key=lambda entry: entry[0]):
            if total <= self.disk_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
            gone += 1
        return gone

    @staticmethod
    def _read(path: Path) -> Maps | None:
        try:
            with np.load(path, allow_pickle=False) as stored:
                maps = {name: stored[name] for name in stored.files}
            os.utime(path)
        except FileNotFoundError:
            return None
        except Exception:  # a file cut by a full disk or a kill: numpy raises many kinds, the cure is one
            return None
        return maps

    @staticmethod
    def _write(path: Path, maps: Maps) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, **maps)  # type: ignore[arg-type]
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise
