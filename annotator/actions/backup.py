"""Backup: database, blobs and keys of one moment in one file, each part with its digest.

A tar of JSON lines a table (so that a backup of SQLite can be restored on PostgreSQL and the other way
round), the
blobs under their digests, and the data folder's keys. Reads one frozen view of the database while others
write;
blobs are immutable, so those copied after it are at least those it names. The file gets its name when it is
whole.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from annotator import blobs
from annotator.actions.verb import writing
from annotator.core.backups import APPS, FILES, FOLDERS, FORMAT, MANIFEST
from annotator.core.canonical import digest as canonical_digest
from annotator.models import Asset, ChainHead, Part, Release

ROWS = 2000


def tables() -> list[type[models.Model]]:
    """The models whose rows are kept, in a fixed order, tables between two models included."""
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in APPS and model._meta.managed and not model._meta.proxy
    ]
    return sorted(found, key=lambda model: model._meta.label_lower)


def column_names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def to_plain(value: Any) -> Any:
    """A column's value as JSON: moments as ISO text, bytes as base64; `restore.from_plain` is the inverse."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


@contextlib.contextmanager
def frozen_view() -> Iterator[None]:
    """All reads inside see the database of one moment; writers go on."""
    if connection.in_atomic_block:
        raise RuntimeError("a backup opens its own view of the database")
    if connection.vendor == "sqlite":
        # `atomic` would take the write lock (transactions begin IMMEDIATE); a deferred one only holds its
        # view
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                cursor.execute("SELECT COUNT(*) FROM django_migrations")
                cursor.fetchone()
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _Archive:
    """The tar being written; remembers the digest and size of each member."""

    def __init__(self, file: IO[bytes]) -> None:
        self.tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self.members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        """A member from an open file; the file may not grow below us, its size is taken before."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, 0
        reader = _Hashing(source)
        self.tar.addfile(info, reader)  # type: ignore[arg-type]
        self.members[name] = {"sha256": reader.sha.hexdigest(), "size": size}

    def add_bytes(self, name: str, data: bytes) -> None:
        self.add(name, io.BytesIO(data), len(data))


class _Hashing:
    def __init__(self, source: IO[bytes]) -> None:
        self.source, self.sha = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.sha.update(data)
        return data


def backup(target: Path) -> dict[str, Any]:
    """Write a backup to `target` (it must not exist); returns its manifest's body.

    A blob that a row names and that is not there is counted in `missing_blobs`, never passed over in silence.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already")
    with writing(actor=None) as w:
        w.event("site", "backup.begun", "backup")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            os.chmod(part, 0o600)
            body = _write(_Archive(file))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return body


def _write(archive: _Archive) -> dict[str, Any]:
    described: dict[str, Any] = {}
    with frozen_view():
        heads = {head.chain: [head.seq, head.digest] for head in ChainHead.objects.order_by("chain")}
        migrations = sorted(MigrationRecorder(connection).applied_migrations())
        wanted = _named_blobs()
        for model in tables():
            described[model._meta.label_lower] = _add_table(archive, model)
    stored = _add_blobs(archive)
    data = Path(settings.DATA)
    for folder in FOLDERS:
        for path in sorted((data / folder).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                archive.add_bytes(f"data/{path.relative_to(data).as_posix()}", path.read_bytes())
    for name in FILES:
        if (data / name).is_file():
            archive.add_bytes(f"data/{name}", (data / name).read_bytes())
    body = {
        "format": FORMAT,
        "kind": "concord.backup",
        "engine": connection.vendor,
        "heads": heads,
        "migrations": [list(one) for one in migrations],
        "tables": described,
        "members": archive.members,
        "blobs": len(stored),
        "missing_blobs": sorted(wanted - stored),
    }
    text = json.dumps({"body": body, "sha256": canonical_digest(body)}, indent=1, sort_keys=True)
    archive.add_bytes(MANIFEST, text.encode("utf-8"))
    archive.tar.close()
    return body


def _add_table(archive: _Archive, model: type[models.Model]) -> dict[str, Any]:
    columns, rows = column_names(model), 0
    with tempfile.TemporaryFile(dir=_temporary()) as file:
        found = model._base_manager.order_by("pk").values_list(*columns)
        for row in found.iterator(chunk_size=ROWS):
            plain = [to_plain(value) for value in row]
            file.write(json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
            file.write(b"\n")
            rows += 1
        size = file.tell()
        file.seek(0)
        archive.add(f"tables/{model._meta.label_lower}.jsonl", file, size)
    return {"columns": columns, "rows": rows}


def _temporary() -> Path:
    folder = Path(settings.DATA) / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _add_blobs(archive: _Archive) -> set[str]:
    stored: set[str] = set()
    for folder in sorted(blobs.root().glob("[0-9a-f][0-9a-f]")):
        for path in sorted(folder.iterdir()):
            name = folder.name + path.name
            with open(path, "rb") as file:
                archive.add(f"blobs/{name}", file, os.fstat(file.fileno()).st_size)
            if archive.members[f"blobs/{name}"]["sha256"] != name:
                raise RuntimeError(f"blob {name} is damaged on disk; nothing was backed up")
            stored.add(name)
    return stored


def _named_blobs() -> set[str]:
    """Digests that rows of the frozen view say are in the blob store."""
    found = set(Part.objects.values_list("digest", flat=True).distinct())
    found |= set(Asset.objects.filter(state="ready", text=None).values_list("sha256", flat=True))
    for files, options in Release.objects.values_list("files", "options"):
        found |= {one["sha256"] for one in files.values()}
        if "members" in options:
            found.add(options["members"])
    return found
