"""Resource: batches (work packages) of a project."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.actions.batches import batch_body, edit_batch
from annotator.api.base import Door, take
from annotator.core.errors import NotFound
from annotator.models import Batch

FIELDS: dict[str, Any] = {
    "name": str,
    "kind": str,
    "priority": int,
    "paused": bool,
    "deadline": (str, type(None)),
    "teams": list,
}


class Batches(Door):
    """GET: all batches with their number of items. POST {name, …}: a new one."""

    actions = {"GET": "batches.edit", "POST": "batches.edit"}

    def get(self, request: Request, project: str) -> Response:
        rows = Batch.objects.filter(project=self.project).annotate(n=Count("items")).prefetch_related("teams")
        return Response({"results": [{**batch_body(b), "items": b.n} for b in rows.order_by("-id")[:500]]})

    def post(self, request: Request, project: str) -> Response:
        body = take(self.body(), FIELDS, ("name",))
        return Response(
            edit_batch(
                actor=self.actor,
                project=self.project,
                batch=None,
                fields=body,
                idem=self.idem(body),
                request=self.request_id,
            ),
            status=201,
        )


class BatchOne(Door):
    """PATCH: change what is named."""

    actions = {"PATCH": "batches.edit"}
    batch: Batch

    def locate(self, **kwargs: Any) -> str | None:
        found = Batch.objects.select_related("project").filter(public_id=kwargs["batch"]).first()
        if found is None:
            raise NotFound()
        self.batch = found
        return found.project.public_id

    def patch(self, request: Request, batch: str) -> Response:
        body = take(self.body(), FIELDS)
        return Response(
            edit_batch(
                actor=self.actor,
                project=self.project,
                batch=self.batch,
                fields=body,
                idem=self.idem(body),
                request=self.request_id,
            )
        )


urlpatterns = [
    path("projects/<str:project>/batches", Batches.as_view(), name="api-batches"),
    path("batches/<str:batch>", BatchOne.as_view(), name="api-batch"),
]
