"""Restore: a backup into an empty data folder and database, checked by digest before anything is touched.

The database is first brought to the backup's own migrations, filled in one transaction, and then migrated
on, so that
a backup of an earlier version opens in a later one. A backup of a later version is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from annotator import blobs
from annotator.actions.verb import writing
from annotator.core.backups import FILES, FOLDERS, FORMAT, MANIFEST
from annotator.core.canonical import digest as canonical_digest
from annotator.core.canonical import strict_loads
from annotator.core.errors import ConcordError, Conflict, Invalid

ROWS = 500
CHUNK = 1 << 20
MAX_MANIFEST_BYTES = 1 << 28


def _damaged(what: str, place: str) -> Invalid:
    return Invalid("backup_damaged", what, place=place, cure="Use another copy of the backup.")


def check(archive: Path) -> dict[str, Any]:
    """Read the whole file and hold every member against its digest; the manifest's body.

    Raises Invalid("backup_damaged") with the place of the first fault, Invalid("backup_too_new").
    """
    found: dict[str, dict[str, Any]] = {}
    manifest: bytes | None = None
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                _check_member(member)
                if member.name in found or manifest is not None:
                    raise _damaged("A part stands twice or behind the manifest.", member.name)
                source = tar.extractfile(member)
                assert source is not None
                if member.name == MANIFEST:
                    if member.size > MAX_MANIFEST_BYTES:
                        raise _damaged("The manifest is too large.", MANIFEST)
                    manifest = source.read()
                    continue
                sha = hashlib.sha256()
                while piece := source.read(CHUNK):
                    sha.update(piece)
                found[member.name] = {"sha256": sha.hexdigest(), "size": member.size}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _damaged(
            "The file cannot be read to its end.", f"{type(error).__name__}: {error}"[:200]
        ) from None
    if manifest is None:
        raise _damaged("The backup has no manifest: it was cut.", MANIFEST)
    try:
        outer = strict_loads(manifest)
        body = outer["body"]
        if canonical_digest(body) != outer["sha256"]:
            raise _damaged("The manifest differs from its digest.", MANIFEST)
        if body["format"] > FORMAT:
            raise Invalid("backup_too_new", "The backup was made by a later version.", field="format")
        listed = body["members"]
    except (ConcordError, KeyError, TypeError) as error:
        if isinstance(error, ConcordError) and error.code.startswith("backup_"):
            raise
        raise _damaged("The manifest cannot be read.", MANIFEST) from None
    for name in sorted(found.keys() | listed.keys()):
        if found.get(name) != listed.get(name):
            raise _damaged("A part is missing, added or differs from its digest.", name)
    _check_migrations(body)
    return dict(body)


def _check_member(member: tarfile.TarInfo) -> None:
    """Plain files with names of ours only: nothing of an archive decides where something is written."""
    path = PurePosixPath(member.name)
    plain = member.isreg() and not path.is_absolute() and ".." not in path.parts and "\\" not in member.name
    top = path.parts[0] if path.parts else ""
    if not plain or (member.name != MANIFEST and top not in ("tables", "blobs", "data")):
        raise _damaged("The backup holds something that is no part of a backup.", member.name)


def _on_disk() -> dict[tuple[str, str], Any]:
    """The migrations that this version has, read without a database."""
    return dict(MigrationLoader(None).disk_migrations or {})


def _check_migrations(body: dict[str, Any]) -> None:
    known = set(_on_disk())
    for app, name in body["migrations"]:
        if (app, name) not in known:
            raise Invalid(
                "backup_too_new",
                "The backup was made by a later version.",
                field=f"{app}.{name}",
                cure="Restore it with that version.",
            )


def check_empty() -> None:
    """Conflict unless the database is new: a restore never writes over anybody's work."""
    there = set(connection.introspection.table_names())
    if not there - {"django_migrations"}:
        return
    executor = MigrationExecutor(connection)
    if "annotator_account" in there:
        account = executor.loader.project_state().apps.get_model("annotator", "Account")
        if not account._base_manager.exists():
            raise Conflict(
                "database_not_new",
                "The database has tables already.",
                cure="Restore into a data folder (or database) that nothing has been started on.",
            )
    raise Conflict("database_not_empty", "The database is in use.", cure="Restore into an empty data folder.")


def restore(archive: Path) -> dict[str, Any]:
    """Check, then restore; returns the manifest's body. What was checked is not touched before."""
    body = check(archive)
    check_empty()
    with tarfile.open(archive, "r:") as tar:
        _restore_files(tar)
        targets = _targets(body["migrations"])
        executor = MigrationExecutor(connection)
        executor.migrate(targets)
        executor.loader.build_graph()
        old = executor.loader.project_state(targets).apps
        with transaction.atomic():
            loaded = []
            for name, table in sorted(body["tables"].items()):
                model = old.get_model(name)
                rows = _load_table(model, table, _member(tar, f"tables/{name}.jsonl"))
                if rows != table["rows"]:
                    raise _damaged("A table has another number of rows.", name)
                loaded.append(model)
            connection.check_constraints()
            with connection.cursor() as cursor:
                for statement in connection.ops.sequence_reset_sql(no_style(), loaded):
                    cursor.execute(statement)
            heads = {
                row.chain: [row.seq, row.digest] for row in old.get_model("annotator.chainhead").objects.all()
            }
            if heads != body["heads"]:
                raise _damaged("The event log ends elsewhere than the manifest says.", "heads")
    call_command("migrate", interactive=False, verbosity=0)
    with writing(actor=None) as w:
        w.event("site", "backup.restored", "backup", data={"engine": body["engine"]})
    return body


def _targets(applied: list[list[str]]) -> list[tuple[str, str]]:
    """The last migrations of the backup, those that no other of its migrations builds on."""
    nodes = {(app, name) for app, name in applied}
    disk = _on_disk()
    built_on = {(app, name) for node in nodes for app, name in disk[node].dependencies if app == node[0]}
    return sorted(nodes - built_on)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    source = tar.extractfile(name)
    assert source is not None
    return source


def from_plain(field: models.Field[Any, Any], value: Any) -> Any:
    """The inverse of `backup.to_plain` for a column."""
    if value is None:
        return None
    if isinstance(field, models.DateTimeField):
        return datetime.fromisoformat(value)
    if isinstance(field, models.BinaryField):
        return base64.b64decode(value)
    return value


def _load_table(model: type[models.Model], table: dict[str, Any], source: IO[bytes]) -> int:
    """Insert the rows as they were: no defaults, no moments of today, no signals."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in table["columns"]]
    rows = 0
    for batch in _batches(source, max(1, min(ROWS, 900 // len(fields)))):
        made = [
            model(
                **{field.attname: from_plain(field, value) for field, value in zip(fields, row, strict=True)}
            )
            for row in batch
        ]
        # raw: `auto_now_add` and its like keep what the backup says, as Django's own loading of fixtures does
        model._base_manager._insert(made, fields=fields, using=connection.alias, raw=True)  # type: ignore[attr-defined]
        rows += len(made)
    return rows


def _batches(source: IO[bytes], size: int) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    for line in source:
        batch.append(json.loads(line))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(CHUNK):
        yield piece


def _restore_files(tar: tarfile.TarFile) -> None:
    """Blobs into the store under the digest they have, keys and anchors into the data folder."""
    data = Path(settings.DATA)
    for member in tar:
        path = PurePosixPath(member.name)
        if path.parts[0] == "blobs":
            source = _member(tar, member.name)
            digest, _ = blobs.put_stream(_pieces(source))
            if digest != path.name:
                raise _damaged("A blob differs from its name.", member.name)
        elif path.parts[0] == "data":
            if path.parts[1] not in (*FOLDERS, *FILES):
                raise _damaged("The backup holds something that is no part of a backup.", member.name)
            target = data.joinpath(*path.parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = target.with_name(f".{target.name}.part")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_member(tar, member.name).read())
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
