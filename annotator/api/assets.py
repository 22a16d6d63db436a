"""Resource: files of a project. Uploads (resumable, or one body), lists, and the bytes with ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import blobs
from annotator.actions import uploads
from annotator.actions.steps.assets import check_file_name, check_quota
from annotator.actions.store_asset import store_asset
from annotator.actions.verb import Idem
from annotator.api import bodies
from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import Invalid, NotFound
from annotator.models import Asset, Assignment, ItemAsset, Task, Upload
from annotator.queries.items import asset_body

SIMPLE_LIMIT = 64 * 2**20
SLICE = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


class Assets(Door):
    """GET: the project's files. POST: JSON {name, size, sha256?} begins an upload; any other body is a file."""

    actions = {"GET": "assets.list", "POST": "assets.write"}

    def get(self, request: Request, project: str) -> Response:
        limit, cursor = self.limit(), self.cursor()
        rows = Asset.objects.filter(project=self.project).order_by("-id")
        if "lead" not in self.member.roles:
            own = Upload.objects.filter(project=self.project, account=self.actor, finished_at__isnull=False)
            rows = rows.filter(sha256__in=own.values("sha256"))
        state = request.query_params.get("state")
        if state:
            rows = rows.filter(state=state[:16])
        if cursor is not None:
            if len(cursor) != 1 or isinstance(cursor[0], bool) or not isinstance(cursor[0], int):
                raise Invalid("bad_cursor", "This cursor was not made by this list.", field="cursor")
            rows = rows.filter(id__lt=min(cursor[0], 2**62))
        page = list(rows[: limit + 1])
        following = make_cursor([page[limit - 1].pk]) if len(page) > limit else None
        return Response({"results": [asset_body(a) for a in page[:limit]], "next": following})

    def post(self, request: Request, project: str) -> Response:
        if bodies.media_type(request) == "application/json":
            body = take(self.body(), {"name": str, "size": int, "sha256": str}, ("name", "size"))
            return Response(
                uploads.begin_upload(
                    actor=self.actor,
                    project=self.project,
                    name=body["name"],
                    size=body["size"],
                    sha256=body.get("sha256", ""),
                    idem=self.idem(body),
                    request=self.request_id,
                ),
                status=201,
            )
        length = bodies.length_of(request, SIMPLE_LIMIT)
        name = check_file_name(_header_name(request))
        if not length:
            raise Invalid("empty_file", "The file is empty.")
        check_quota(self.project, length)
        with bodies.disk():
            sha, size = blobs.put_stream(bodies.chunks(request, length))
        key = request.headers.get("Idempotency-Key")
        idem = Idem(key, f"POST {request.path}"[:200], f"{sha[:32]}{_fold(name)}") if key else None
        encoding = request.query_params.get("encoding", "utf-8").lower()
        return Response(
            store_asset(
                actor=self.actor,
                project=self.project,
                sha256=sha,
                name=name,
                size=size,
                encoding=encoding,
                idem=idem,
                request=self.request_id,
            ),
            status=202,
        )


def _header_name(request: Request) -> str:
    """The X-Name header, percent-encoded UTF-8 (headers hold Latin-1 only)."""
    raw = request.headers.get("X-Name")
    if not raw:
        raise Invalid("missing_field", "Name the file in the header X-Name.", field="X-Name")
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("bad_name", "The header X-Name is percent-encoded UTF-8.", field="X-Name") from None


def _fold(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:32]


class UploadDoor(Door):
    """Views of one upload: its maker's own."""

    upload: Upload

    def locate(self, **kwargs: Any) -> str | None:
        found = (
            Upload.objects.select_related("project")
            .filter(public_id=kwargs["upload"], account=self.actor)
            .first()
        )
        if found is None:
            raise NotFound()
        self.upload = found
        return found.project.public_id


class UploadOne(UploadDoor):
    """GET: where it stands. PATCH raw bytes with Upload-Offset. DELETE: give it up."""

    actions = {"GET": "assets.write", "PATCH": "assets.write", "DELETE": "assets.write"}

    def get(self, request: Request, upload: str) -> Response:
        u = self.upload
        return Response(
            {"upload": u.public_id, "offset": u.offset, "size": u.size, "finished": u.finished_at is not None}
        )

    def patch(self, request: Request, upload: str) -> Response:
        length = bodies.length_of(request, settings.ASSET_LIMIT)
        offset = request.headers.get("Upload-Offset", "")
        if not offset.isdecimal() or len(offset) > 18:
            raise Invalid(
                "missing_field", "Name the offset in the header Upload-Offset.", field="Upload-Offset"
            )
        with bodies.disk():
            at = uploads.append_upload(
                upload=self.upload,
                offset=int(offset),
                length=length,
                pieces=bodies.chunks(request, length, partial=True),
            )
        return Response({"offset": at})

    def delete(self, request: Request, upload: str) -> Response:
        uploads.drop_upload(actor=self.actor, upload=self.upload, request=self.request_id)
        return Response(status=204)


class UploadFinish(UploadDoor):
    """POST: all bytes are there. 202 {asset, job}."""

    actions = {"POST": "assets.write"}

    def post(self, request: Request, upload: str) -> Response:
        body = take(self.body(), {"encoding": str})
        return Response(
            uploads.finish_upload(
                actor=self.actor,
                upload=self.upload,
                encoding=body.get("encoding", "utf-8").lower(),
                idem=self.idem(body),
                request=self.request_id,
            ),
            status=202,
        )


class AssetOne(Door):
    """GET: what is known of one file."""

    actions = {"GET": "assets.list"}
    asset: Asset

    def locate(self, **kwargs: Any) -> str | None:
        found = Asset.objects.select_related("project").filter(public_id=kwargs["asset"]).first()
        if found is None:
            raise NotFound()
        self.asset = found
        return found.project.public_id

    def get(self, request: Request, asset: str) -> Response:
        if "lead" not in self.member.roles:
            own = Upload.objects.filter(project=self.project, account=self.actor, sha256=self.asset.sha256)
            if not own.filter(finished_at__isnull=False).exists():
                raise NotFound()
        return Response(asset_body(self.asset))


class AssetFile(AssetOne):
    """GET and HEAD: the bytes of a checked file, by range if asked. Never as anything a browser would run."""

    actions = {"GET": "assets.file", "HEAD": "assets.file"}

    def get(self, request: Request, asset: str) -> HttpResponseBase:  # type: ignore[override]
        found = self.asset
        if found.state != "ready" or not self._may():
            raise NotFound()
        etag = f'"{found.sha256}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            # asked for again each time: the right may have gone since, and 304 is cheap
            "Cache-Control": "private, no-cache",
            "Vary": "Cookie, Authorization",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Disposition": f"{_shown(found)}; filename*=UTF-8''{quote(self._name(), safe='')}",
        }
        media_type = "text/plain; charset=utf-8" if found.kind == "text" else found.media_type
        if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
            return HttpResponse(status=304, headers=headers)
        if found.kind == "text" and found.text is not None:
            raw: bytes | None = found.text.encode()
            size = len(raw or b"")
        else:
            raw, size = None, found.size
            if not blobs.exists(found.sha256):
                raise NotFound()
        span = _span(request, etag, size)
        if span is None:
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        start, end, status = span
        headers["Content-Length"] = str(end - start)
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        if request.method == "HEAD":
            return HttpResponse(status=status, headers=headers, content_type=media_type)
        if raw is not None:
            return HttpResponse(raw[start:end], status=status, headers=headers, content_type=media_type)
        return StreamingHttpResponse(
            _pieces(found.sha256, start, end), status=status, headers=headers, content_type=media_type
        )

    head = get  # type: ignore[assignment]

    def _name(self) -> str:
        """The file's name for who reads items as such; whoever works on seats may not be shown it (see Work)."""
        named = {"lead", "importer", "viewer"} & set(self.member.roles)
        return (self.asset.name if named else "") or self.asset.public_id

    def _may(self) -> bool:
        """An annotator: files of items of own seats; a viewer: of accepted items; who leads or decides: all."""
        roles = set(self.member.roles)
        if roles & {"lead", "expert", "checker"}:
            return True
        items = ItemAsset.objects.filter(asset=self.asset).values("item_id")
        if "annotator" in roles:
            person = self.actor.person_id
            own = Assignment.objects.filter(person_id=person, task__item_id__in=items).exclude(
                state="released"
            )
            if own.exists():
                return True
        return "viewer" in roles and Task.objects.filter(item_id__in=items, state="accepted").exists()


def _shown(asset: Asset) -> str:
    return "inline" if asset.kind == "image" else "attachment"


def _span(request: Request, etag: str, size: int) -> tuple[int, int, int] | None:
    """(start, end, status) of what is asked for; None when it lies beyond the end. Several ranges: the whole."""
    asked = _RANGE.match(request.headers.get("Range", "").replace(" ", ""))
    tag = request.headers.get("If-Range")
    if asked is None or (tag is not None and tag != etag) or asked.group(0) == "bytes=-":
        return 0, size, 200
    first, last = asked.group(1), asked.group(2)
    if not first:
        n = int(last)
        return (max(0, size - n), size, 206) if n and size else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return 0, size, 200  # not a range at all
    return (start, end, 206) if start < size else None


def _pieces(digest: str, start: int, end: int) -> Iterator[bytes]:
    with blobs.open_blob(digest) as file:
        file.seek(start)
        left = end - start
        while left > 0:
            piece = file.read(min(SLICE, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


urlpatterns = [
    path("projects/<str:project>/assets", Assets.as_view(), name="api-assets"),
    path("uploads/<str:upload>", UploadOne.as_view(), name="api-upload"),
    path("uploads/<str:upload>/finish", UploadFinish.as_view(), name="api-upload-finish"),
    path("assets/<str:asset>", AssetOne.as_view(), name="api-asset"),
    path("assets/<str:asset>/file", AssetFile.as_view(), name="api-asset-file"),
]
