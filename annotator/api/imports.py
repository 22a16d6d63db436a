"""Resource: imports. The body is spooled to disk as it comes; the io worker reads it."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.urls import path
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import spool
from annotator.actions.import_batch import import_batch
from annotator.actions.verb import Idem
from annotator.api import bodies
from annotator.api.base import Door
from annotator.core import archives
from annotator.core.errors import Invalid

FORMS = {
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
}


class Imports(Door):
    """POST raw body; ?batch=…&on_bad=partial|refuse. 202 {job, batch}."""

    actions = {"POST": "imports.create"}

    def post(self, request: Request, project: str) -> Response:
        form = FORMS.get(bodies.media_type(request))
        if form is None:
            raise UnsupportedMediaType(bodies.media_type(request) or "none")
        for name in request.query_params:
            if name not in ("batch", "on_bad"):
                raise Invalid("unknown_field", "This parameter is not known here.", field=name)
        batch = request.query_params.get("batch", "") or "Import"
        on_bad = request.query_params.get("on_bad", "partial")
        if on_bad not in ("partial", "refuse"):
            raise Invalid("unknown_choice", "on_bad is partial or refuse.", field="on_bad")
        length = bodies.length_of(request, settings.IMPORT_LIMIT)
        if not length:
            raise Invalid("empty_file", "The file is empty.")
        with bodies.disk():
            place, sha, _ = spool.write(bodies.chunks(request, length))
        try:
            if form == "zip":
                with open(place, "rb") as file:
                    archives.check_zip(file, max_bytes=settings.IMPORT_LIMIT)
        except BaseException:
            spool.drop(place.name)
            raise
        key = request.headers.get("Idempotency-Key")
        sent = hashlib.sha256(f"{sha}:{form}:{batch}:{on_bad}".encode()).hexdigest()
        idem = Idem(key, f"POST {request.path}"[:200], sent) if key else None
        answer = import_batch(
            actor=self.actor,
            project=self.project,
            spooled=place,
            sha256=sha,
            form=form,
            batch=batch,
            on_bad=on_bad,
            idem=idem,
            request=self.request_id,
        )
        return Response(answer, status=202)


urlpatterns = [path("projects/<str:project>/imports", Imports.as_view(), name="api-imports")]
