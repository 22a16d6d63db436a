"""Resource: releases of a project: ask for one, read it, fetch its files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import access, blobs
from annotator.actions.publish_release import publish_release
from annotator.api.assets import _pieces, _span
from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import Invalid, NotFound
from annotator.models import Release
from annotator.queries.release import find_release, release_json, releases_of

TYPES = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


class Releases(Door):
    """GET: the project's releases, newest first. POST: ask for one."""

    actions = {"GET": "releases.read", "POST": "releases.create"}

    def get(self, request: Request, project: str) -> Response:
        """{results, next}. Who is not lead sees finished ones."""
        limit, cursor = self.limit(), self.cursor()
        before = cursor[0] if cursor else None
        if before is not None and (isinstance(before, bool) or not isinstance(before, int)):
            raise Invalid("bad_cursor", "This cursor was not made by this list.", field="cursor")
        lead = access.may(self.actor, "releases.names", self.member)
        rows = releases_of(self.project, lead=lead, before=before, limit=limit + 1)
        after = make_cursor([rows[limit - 1].number]) if len(rows) > limit else None
        return Response({"results": [release_json(row, lead=lead) for row in rows[:limit]], "next": after})

    def post(self, request: Request, project: str) -> Response:
        """202 {release, number, job}. {name?, formats?: ["jsonl.v1", "coco.v1"]}."""
        body = take(self.body(), {"name": str, "formats": list})
        formats = body.get("formats")
        if formats is not None and not all(isinstance(one, str) for one in formats):
            raise Invalid("wrong_type", "Formats are named by texts.", field="formats")
        answer = publish_release(
            actor=self.actor,
            project=self.project,
            name=body.get("name", "").strip(),
            formats=formats,
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=202)


class ReleaseDoor(Door):
    """Views of one release. One that is being made exists for leads only."""

    release: Release

    def locate(self, **kwargs: Any) -> str | None:
        """The project of the release. Raises NotFound."""
        found = find_release(kwargs["release"])
        if found is None:
            raise NotFound()
        self.release = found
        return found.project.public_id

    @property
    def lead(self) -> bool:
        return access.may(self.actor, "releases.names", self.member)


class ReleaseOne(ReleaseDoor):
    """GET: one release with its files."""

    actions = {"GET": "releases.read"}

    def get(self, request: Request, release: str) -> Response:
        if self.release.state != "done" and not self.lead:
            raise NotFound()
        return Response(release_json(self.release, lead=self.lead))


class ReleaseFile(ReleaseDoor):
    """GET and HEAD: one file of a finished release, by range if asked, streamed; always as a download."""

    actions = {"GET": "releases.read", "HEAD": "releases.read"}

    def get(self, request: Request, release: str, name: str) -> HttpResponseBase:
        found = self.release.files.get(name) if self.release.state == "done" else None
        if (
            found is None
            or (found["audience"] != "all" and not self.lead)
            or not blobs.exists(found["sha256"])
        ):
            raise NotFound()
        etag = f'"{found["sha256"]}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Vary": "Cookie, Authorization",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        }
        media_type = TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
        if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
            return HttpResponse(status=304, headers=headers)
        size = int(found["size"])
        span = _span(request, etag, size)
        if span is None:
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        start, end, status = span
        headers["Content-Length"] = str(end - start)
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        if request.method == "HEAD":
            return HttpResponse(status=status, headers=headers, content_type=media_type)
        pieces = _pieces(found["sha256"], start, end)
        return StreamingHttpResponse(pieces, status=status, headers=headers, content_type=media_type)

    head = get


urlpatterns = [
    path("projects/<str:project>/releases", Releases.as_view(), name="api-releases"),
    path("releases/<str:release>", ReleaseOne.as_view(), name="api-release"),
    path("releases/<str:release>/files/<str:name>", ReleaseFile.as_view(), name="api-release-file"),
]
