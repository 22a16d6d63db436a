"""Verbs of resumable uploads: begin, append at the known offset, finish, give up.

Bytes lie in a spool file named by the upload; the row's offset moves only after they are synced. One writer at a
time: the file is locked while a piece is written, so that two pieces cannot mix.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from annotator import blobs, spool
from annotator.actions.steps.assets import check_file_name, check_quota, keep_asset
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid, TooLarge
from annotator.core.ids import is_digest
from annotator.models import Account, Asset, Project, Upload
from annotator.queries.items import asset_body

MAX_OPEN = 200


def file_of(upload: Upload) -> Path:
    """Where the upload's bytes wait."""
    return spool.path(f"up-{upload.public_id}")


def begin_upload(
    *,
    actor: Account,
    project: Project,
    name: str,
    size: int,
    sha256: str = "",
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """A new upload at offset 0; its size is counted against the project's budget at once."""
    if not 1 <= size <= settings.ASSET_LIMIT:
        raise TooLarge(
            "file_too_large",
            "The file is empty or larger than the published limit.",
            field="size",
            limit=settings.ASSET_LIMIT,
        )
    if sha256 and not is_digest(sha256):
        raise Invalid("bad_digest", "A digest is 64 hexadecimal digits.", field="sha256")
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        check_quota(project, size)
        if Upload.objects.filter(project=project, account=actor, finished_at=None).count() >= MAX_OPEN:
            raise Conflict("too_many_uploads", "Too many uploads are unfinished.", limit=MAX_OPEN)
        upload = Upload.objects.create(
            project=project,
            account=actor,
            name=check_file_name(name),
            size=size,
            sha256=sha256,
            created_at=w.now,
        )
        w.event(project.public_id, "upload.begun", upload.public_id, data={"size": size})
        return w.answer({"upload": upload.public_id, "offset": 0, "size": size}, 201)  # type: ignore[no-any-return]


def append_upload(*, upload: Upload, offset: int, length: int, pieces: Iterable[bytes]) -> int:
    """Append a piece at `offset`; returns the new offset. What arrived of a piece that broke off is kept.

    No event and no idempotency key: the offset itself makes a repeat harmless (it is a Conflict with the true one).
    """
    if upload.finished_at is not None:
        raise Conflict("upload_finished", "This upload is finished.", offset=upload.offset)
    if offset != upload.offset:
        raise Conflict(
            "offset_differs",
            "The piece does not begin where the upload stands.",
            offset=upload.offset,
            cure="Go on from this offset.",
        )
    if offset + length > upload.size:
        raise TooLarge(
            "beyond_end",
            "The piece reaches beyond the declared size.",
            offset=upload.offset,
            size=upload.size,
        )
    fd = os.open(file_of(upload), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                "upload_busy", "Another piece of this upload is being written.", offset=upload.offset
            ) from None
        fresh = Upload.objects.filter(pk=upload.pk, finished_at=None).values_list("offset", flat=True).first()
        if fresh != offset:
            raise Conflict(
                "offset_differs", "The piece does not begin where the upload stands.", offset=fresh or 0
            )
        if os.fstat(fd).st_size < offset:
            raise Conflict(
                "upload_lost", "The bytes of this upload are gone.", cure="Begin a new upload.", offset=0
            )
        os.ftruncate(fd, offset)
        os.lseek(fd, offset, os.SEEK_SET)
        at = offset
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(fd, view) :]
                at += len(piece)
        finally:
            os.fsync(fd)
            if at > offset:
                with writing(actor=None):
                    Upload.objects.filter(pk=upload.pk, offset=offset, finished_at=None).update(offset=at)
    finally:
        os.close(fd)
    upload.offset = at
    return at


def finish_upload(
    *,
    actor: Account,
    upload: Upload,
    encoding: str = "utf-8",
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """All bytes are there: their digest is checked, they move to the blob store, the asset waits for its check."""
    if upload.finished_at is not None:
        return _finished(upload)
    if upload.offset != upload.size:
        raise Conflict(
            "upload_incomplete", "Not all bytes have arrived.", offset=upload.offset, size=upload.size
        )
    place = file_of(upload)
    sha = hashlib.sha256()
    try:
        with open(place, "rb") as file:
            while piece := file.read(1 << 20):
                sha.update(piece)
    except FileNotFoundError:
        done = Upload.objects.select_related("project").filter(pk=upload.pk).exclude(finished_at=None).first()
        if done is not None:
            return _finished(done)  # finished by another request at the same moment
        raise Conflict(
            "upload_lost", "The bytes of this upload are gone.", cure="Begin a new upload.", offset=0
        ) from None
    digest = sha.hexdigest()
    if upload.sha256 and upload.sha256 != digest:
        place.unlink(missing_ok=True)
        with writing(actor=actor, request=request) as w:
            Upload.objects.filter(pk=upload.pk, finished_at=None).delete()
            w.event(upload.project.public_id, "upload.refused", upload.public_id, data={"sha256": digest})
        raise Invalid(
            "digest_differs",
            "The bytes are not those that were announced.",
            field="sha256",
            cure="Upload the file again.",
        )
    blobs.adopt(place, digest, keep=True)
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        asset, job = keep_asset(
            w, upload.project, sha256=digest, name=upload.name, size=upload.size, encoding=encoding
        )
        Upload.objects.filter(pk=upload.pk).update(sha256=digest, finished_at=w.now)
        answer: dict[str, Any] = w.answer(
            {"asset": asset_body(asset), "job": job.public_id if job else None}, 202
        )
    place.unlink(missing_ok=True)
    return answer


def _finished(upload: Upload) -> dict[str, Any]:
    asset = Asset.objects.get(project=upload.project, sha256=upload.sha256)
    return {"asset": asset_body(asset), "job": None}


def drop_upload(*, actor: Account, upload: Upload, now: datetime | None = None, request: str = "") -> None:
    """Give an unfinished upload up; its bytes and its share of the budget are freed."""
    with writing(actor=actor, now=now, request=request) as w:
        if not Upload.objects.filter(pk=upload.pk, finished_at=None).delete()[0]:
            raise Conflict("upload_finished", "This upload is finished.", offset=upload.offset)
        w.event(upload.project.public_id, "upload.dropped", upload.public_id)
    file_of(upload).unlink(missing_ok=True)
