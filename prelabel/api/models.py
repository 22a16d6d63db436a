"""Models of a project: versions with their scores, training, prelabelling."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door, take
from annotator.core.errors import NotFound
from prelabel.actions.train_model import run_model, train_model
from prelabel.models import ModelVersion
from prelabel.queries import overview


class Models(Door):
    """GET lists, POST trains."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.read", "POST": "models.train"}

    def get(self, request: Request, project: str) -> Response:
        """Versions, newest first; what can be trained; whether the model worker is ready."""
        return Response(
            {
                "results": overview.models(self.project),
                "trainable": overview.trainable(self.project),
                "models": overview.models_state(),
            }
        )

    def post(self, request: Request, project: str) -> Response:
        """202 the job and the version in training."""
        body = take(self.body(), {"kind": str, "control": (str, type(None))}, required=("kind",))
        answer = train_model(
            actor=self.actor,
            project=self.project,
            kind=body["kind"],
            control=body.get("control"),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=202)


class Run(Door):
    """POST lets a model prelabel the tasks that wait."""

    actions: ClassVar[dict[str, str]] = {"POST": "models.run"}

    def post(self, request: Request, project: str, model: str) -> Response:
        """202 the job."""
        body = take(self.body(), {})
        found = (
            ModelVersion.objects.select_related("project")
            .filter(project=self.project, public_id=model)
            .first()
        )
        if found is None:
            raise NotFound()
        answer = run_model(actor=self.actor, model=found, idem=self.idem(body), request=self.request_id)
        return Response(answer, status=202)


urlpatterns = [
    path("projects/<str:project>/models", Models.as_view(), name="api-models"),
    path("projects/<str:project>/models/<str:model>/run", Run.as_view(), name="api-model-run"),
]
