"""Rules of a project: the installed ones with their parameters, the saved ones with their runs."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door, take
from annotator.core.errors import NotFound
from prelabel.actions.run_rule import run_rule
from prelabel.actions.save_rule import save_rule
from prelabel.models import RuleVersion
from prelabel.queries import overview


class Rules(Door):
    """GET lists, POST saves a version."""

    actions: ClassVar[dict[str, str]] = {"GET": "rules.read", "POST": "rules.edit"}

    def get(self, request: Request, project: str) -> Response:
        """Saved rules (newest version of each name) and what is installed."""
        return Response(
            {"results": overview.rules(self.project), "available": overview.available(self.project)}
        )

    def post(self, request: Request, project: str) -> Response:
        """201 the saved version."""
        body = take(self.body(), {"rule": str, "name": str, "params": dict}, required=("rule",))
        answer = save_rule(
            actor=self.actor,
            project=self.project,
            rule=body["rule"],
            params=body.get("params", {}),
            name=body.get("name", ""),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


class Run(Door):
    """POST lets a rule prelabel the tasks that wait."""

    actions: ClassVar[dict[str, str]] = {"POST": "rules.run"}

    def post(self, request: Request, project: str, rule: str) -> Response:
        """202 the job."""
        body = take(self.body(), {})
        found = (
            RuleVersion.objects.select_related("project").filter(project=self.project, public_id=rule).first()
        )
        if found is None:
            raise NotFound()
        answer = run_rule(actor=self.actor, rule=found, idem=self.idem(body), request=self.request_id)
        return Response(answer, status=202)


urlpatterns = [
    path("projects/<str:project>/rules", Rules.as_view(), name="api-rules"),
    path("projects/<str:project>/rules/<str:rule>/run", Run.as_view(), name="api-rule-run"),
]
