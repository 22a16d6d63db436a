"""Exchange formats: one a file. A format writes released items to files, item by item, and says what it lost.

Uses `annotator.core` and `annotator.shapes` only: no database, no clock. Output depends on the items alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from annotator.core.canonical import canonical
from annotator.core.registry import Registry
from annotator.core.schema import Schema

PartBytes = Callable[[str], bytes]
FLUSH_BYTES = 1 << 18


@dataclass(frozen=True)
class Header:
    """What holds for a whole release."""

    title: str
    number: int
    event_seq: int
    event_digest: str
    at: str
    schema: Schema


@dataclass(frozen=True)
class Entry:
    """One released item: its description, its accepted document and where that came from.

    `document_bytes` is the document's canonical JSON, of which `accepted["digest"]` is the sha256. All of it
    is fit
    to be published: people are pseudonyms here.
    """

    key: str
    item: Mapping[str, Any]
    assets: Sequence[Mapping[str, Any]]
    document: Mapping[str, Any]
    document_bytes: bytes
    accepted: Mapping[str, Any]
    schema: Mapping[str, Any]
    provenance: Mapping[str, Any]
    prelabels: Mapping[str, Any]


class OutFile:
    """A file being written: buffered bytes, their sha256 and size known as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._sha = hashlib.sha256()
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 - closed by `close`
        self._held: list[bytes] = []
        self._n_held = 0

    def write(self, *pieces: bytes) -> None:
        self._held.extend(pieces)
        self._n_held += sum(map(len, pieces))
        if self._n_held >= FLUSH_BYTES:
            self._flush()

    def write_file(self, path: Path) -> None:
        """Append what another finished file holds."""
        self._flush()
        with open(path, "rb") as source:
            while chunk := source.read(1 << 20):
                self._write_bytes(chunk)

    def _write_bytes(self, data: bytes) -> None:
        self._sha.update(data)
        self.size += len(data)
        self._file.write(data)

    def _flush(self) -> None:
        if self._held:
            self._write_bytes(b"".join(self._held))
            self._held.clear()
            self._n_held = 0

    def close(self) -> None:
        """Write what is held, to the disk."""
        if not self._file.closed:
            self._flush()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abandon(self) -> None:
        """Let go of the file; what it holds is not wanted."""
        self._held.clear()
        self._file.close()

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()


@dataclass
class Output:
    """The folder that a release is written to, the files in it, and the losses."""

    folder: Path
    files: dict[str, OutFile] = field(default_factory=dict)
    losses: dict[str, dict[str, int]] = field(default_factory=dict)
    _loss_file: OutFile | None = None
    _opened: list[OutFile] = field(default_factory=list)

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._opened:
            one.abandon()

    def _open(self, name: str) -> OutFile:
        self._opened.append(OutFile(self.folder / name))
        return self._opened[-1]

    def file(self, name: str) -> OutFile:
        """A new file of the release; a name is used once."""
        if name in self.files or "/" in name or name.startswith("."):
            raise ValueError(f"a release cannot hold a second or hidden file {name!r}")
        self.files[name] = self._open(name)
        return self.files[name]

    def aside(self, name: str) -> OutFile:
        """A file to build with, no part of the release."""
        return self._open(f".{name}")

    def lost(self, format_id: str, key: str, code: str, region: str | None = None, **extra: Any) -> None:
        """One line of what a format cannot hold of one item."""
        counts = self.losses.setdefault(format_id, {})
        counts[code] = counts.get(code, 0) + 1
        if self._loss_file is None:
            self._loss_file = self.file("losses.jsonl")
        line = {"format": format_id, "key": key, "code": code, **extra}
        if region is not None:
            line["region"] = region
        self._loss_file.write(canonical(line), b"\n")

    def close(self) -> None:
        for one in self.files.values():
            one.close()


class Writer(Protocol):
    """One format at work on one release."""

    def add(self, entry: Entry) -> None:
        """The next item, in order of its key."""

    def close(self) -> None:
        """Finish the files."""


class Format(Protocol):
    """What a format file holds at module level."""

    ID: str
    TITLE: str

    def writer(self, header: Header, output: Output, part_bytes: PartBytes) -> Writer: ...


FORMATS: Registry[Format] = Registry("annotator.formats")
