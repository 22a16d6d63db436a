"""Checks a released folder by itself: sums, manifest, nothing missing, nothing added. Reads files only.

`sha256sum -c SHA256SUMS` says the same of the sums; this also holds the sums against the manifest, and the
manifest against its digest from the event log, which is what tells a folder edited as a whole.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from annotator.core.canonical import strict_loads
from annotator.core.errors import ConcordError

SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
ASIDE = frozenset({"names.json"})
"""Files that may lie beside a release without being part of it (the leads' table)."""
_LINE = re.compile(r"([0-9a-f]{64})  ([^/]+)\Z")


@dataclass(frozen=True)
class Fault:
    """The first bad file and what is wrong with it."""

    file: str
    what: str


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_folder(folder: Path, manifest_digest: str | None = None) -> tuple[int, Fault | None]:
    """(files read, the first fault or None), files in order of their names."""
    sums = folder / SUMS
    if not sums.is_file():
        return 0, Fault(SUMS, "is missing")
    listed: dict[str, str] = {}
    text = sums.read_text("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.match(line) if text.endswith("\n") else None
        if match is None or match.group(2) in listed:
            return 0, Fault(SUMS, f"line {number} is no sum")
        listed[match.group(2)] = match.group(1)
    there = {path.name for path in folder.iterdir()} - {SUMS} - ASIDE
    read = 0
    for name in sorted(there | listed.keys()):
        if name not in there:
            return read, Fault(name, "is missing")
        if name not in listed:
            return read, Fault(name, "is not part of this release")
        path = folder / name
        if path.is_symlink() or not path.is_file():
            return read, Fault(name, "is no plain file")
        read += 1
        if sha256_of(path) != listed[name]:
            return read, Fault(name, "differs from its sum")
    if MANIFEST not in listed:
        return read, Fault(MANIFEST, "is missing")
    if manifest_digest is not None and listed[MANIFEST] != manifest_digest:
        return read, Fault(MANIFEST, "is not the manifest that was published")
    try:
        files = strict_loads((folder / MANIFEST).read_bytes())["files"]
        named = {name: (one["sha256"], one["size"]) for name, one in files.items()}
    except (ConcordError, KeyError, TypeError, AttributeError):
        return read, Fault(MANIFEST, "cannot be read")
    for name in sorted(named.keys() | (listed.keys() - {MANIFEST})):
        if name not in named:
            return read, Fault(name, "is not in the manifest")
        if name not in listed:
            return read, Fault(name, "is missing")
        if named[name] != (listed[name], (folder / name).stat().st_size):
            return read, Fault(name, "differs from the manifest")
    return read, None
