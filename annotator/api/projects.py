"""Projects: list own, create, read, edit, delete; progress; events."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import access
from annotator.actions import projects
from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import Invalid
from annotator.models import Account, Member, Project
from annotator.queries import events as event_queries
from annotator.queries.project_page import progress_of


def _shown(project: Project, member: Member, actor: Account) -> dict[str, Any]:
    """The project as this member sees it; the workflow for its leads only (it tells how many label each item)."""
    body = projects.project_body(project)
    if not access.may(actor, "project.edit", member):
        body.pop("workflow")
    return {**body, "roles": member.roles}


class Projects(Door):
    """Own projects."""

    actions: ClassVar[dict[str, str]] = {"GET": "projects.list", "POST": "projects.create"}

    def get(self, request: Request) -> Response:
        """{"results": [{"id", "title", …, "roles"}], "next"}, in the order of joining."""
        limit, cursor = self.limit(), self.cursor()
        rows = (
            Member.objects.select_related("project__schema", "project__workflow")
            .filter(account=self.actor, active=True, project__deleted_at=None)
            .order_by("id")
        )
        if cursor:
            if not isinstance(cursor[0], int):
                raise Invalid(
                    "bad_cursor",
                    "This cursor was not made by this list.",
                    field="cursor",
                    cure="Start without a cursor.",
                )
            rows = rows.filter(id__gt=cursor[0])
        found = list(rows[: limit + 1])
        after = make_cursor([found[limit - 1].pk]) if len(found) > limit else None
        return Response(
            {
                "results": [_shown(m.project, m, self.actor) for m in found[:limit]],
                "next": after,
            }
        )

    def post(self, request: Request) -> Response:
        """201 project. `lead` names the lead by user name; without it the maker leads."""
        body = take(
            self.body(),
            {
                "title": str,
                "description": str,
                "template": str,
                "lead": str,
                "workflow": dict,
                "schema": dict,
            },
            required=("title",),
        )
        answer = projects.create_project(
            actor=self.actor, idem=self.idem(body), request=self.request_id, **body
        )
        return Response(answer, status=201)


class OneProject(Door):
    """One project."""

    actions: ClassVar[dict[str, str]] = {
        "GET": "project.read",
        "PATCH": "project.edit",
        "DELETE": "project.delete",
    }

    def get(self, request: Request, project: str) -> Response:
        """The project; the workflow for its lead only (it tells how many label each item)."""
        return Response(_shown(self.project, self.member, self.actor))

    def patch(self, request: Request, project: str) -> Response:
        """Title, description, paused, workflow (partial)."""
        body = take(self.body(), {"title": str, "description": str, "paused": bool, "workflow": dict})
        return Response(
            projects.edit_project(
                actor=self.actor, project=self.project, idem=self.idem(body), request=self.request_id, **body
            )
        )

    def delete(self, request: Request, project: str) -> Response:
        """202; the body {"title"} names what is lost."""
        body = take(self.body(), {"title": str}, required=("title",))
        answer = projects.delete_project(
            actor=self.actor, project=self.project, title=body["title"], request=self.request_id
        )
        return Response(answer, status=202)


class Progress(Door):
    """The counts of the project page."""

    actions: ClassVar[dict[str, str]] = {"GET": "project.progress"}

    def get(self, request: Request, project: str) -> Response:
        """{"flow": [...], "wait": …, …}."""
        return Response(progress_of(self.project))


class Events(Door):
    """The project's event chain, oldest first."""

    actions: ClassVar[dict[str, str]] = {"GET": "events.read"}

    def get(self, request: Request, project: str) -> Response:
        """?after=seq&limit -> {"results", "next"}: ask again with after=next."""
        raw = request.query_params.get("after", "0")
        if not raw.isdecimal() or len(raw) > 18:
            raise Invalid("bad_after", "after is a sequence number.", field="after")
        limit = self.limit()
        found: list[dict[str, Any]] = event_queries.after(
            project, int(raw), limit, task=request.query_params.get("task", "")
        )
        return Response({"results": found, "next": found[-1]["seq"] if len(found) == limit else None})


urlpatterns = [
    path("projects", Projects.as_view()),
    path("projects/<str:project>", OneProject.as_view()),
    path("projects/<str:project>/progress", Progress.as_view()),
    path("projects/<str:project>/events", Events.as_view()),
]
