"""Resource: items of a project (with their tasks), bulk actions, and the lead's saved views."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.actions.bulk_items import bulk_items
from annotator.actions.saved_views import drop_view, keep_view
from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import Invalid, NotFound
from annotator.models import Task
from annotator.queries import items as queries
from annotator.queries.items import ItemFilter

PAGING = ("cursor", "limit", "sort")


class Items(Door):
    """GET ?state&tag&batch&contains&sort&cursor&limit: {results, next, total, total_capped}."""

    actions = {"GET": "items.list"}

    def get(self, request: Request, project: str) -> Response:
        given = {name: request.query_params[name] for name in request.query_params if name not in PAGING}
        wanted = ItemFilter.read(given)
        sort = request.query_params.get("sort", "order")
        rows, following = queries.list_items(
            self.project, wanted, sort=sort, cursor=self.cursor(), limit=self.limit()
        )
        total, capped = wanted.count(self.project, queries.project_total(self.project))
        return Response(
            {
                "results": rows,
                "next": make_cursor(following) if following else None,
                "total": total,
                "total_capped": capped,
            }
        )


class Tasks(Items):
    """The same list, task first; GET as Items."""

    actions = {"GET": "tasks.read"}


class TaskOne(Door):
    """GET: one task with its seats."""

    actions = {"GET": "tasks.read"}
    task: Task

    def locate(self, **kwargs: Any) -> str | None:
        found = Task.objects.select_related("project", "item").filter(public_id=kwargs["task"]).first()
        if found is None:
            raise NotFound()
        self.task = found
        return found.project.public_id

    def get(self, request: Request, task: str) -> Response:
        return Response(queries.task_body(self.task))


class BulkItems(Door):
    """POST {filter | ids, action, value}: 202 {job, count}."""

    actions = {"POST": "items.bulk"}

    def post(self, request: Request, project: str) -> Response:
        body = take(
            self.body(),
            {"filter": dict, "ids": list, "action": str, "value": (str, int, type(None))},
            ("action",),
        )
        if ("filter" in body) == ("ids" in body):
            raise Invalid("filter_or_ids", "Name either a filter or ids.", field="filter")
        if "ids" in body:
            if not all(isinstance(one, str) and len(one) <= 32 for one in body["ids"]):
                raise Invalid("bad_ids", "ids is a list of item ids.", field="ids")
            wanted = ItemFilter(ids=tuple(dict.fromkeys(body["ids"])))
        else:
            wanted = ItemFilter.read(body["filter"])
        answer = bulk_items(
            actor=self.actor,
            project=self.project,
            wanted=wanted,
            action=body["action"],
            value=body.get("value"),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=202)


class Views(Door):
    """GET, POST {name, filter, sort}, DELETE ?name: the caller's own saved views of this list."""

    actions = {"GET": "items.list", "POST": "items.list", "DELETE": "items.list"}

    def get(self, request: Request, project: str) -> Response:
        return Response({"results": queries.saved_views(self.member)})

    def post(self, request: Request, project: str) -> Response:
        body = take(self.body(), {"name": str, "filter": dict, "sort": str}, ("name",))
        wanted = ItemFilter.read(body.get("filter", {}))
        answer = keep_view(
            actor=self.actor,
            member=self.member,
            name=body["name"],
            wanted=wanted,
            sort=body.get("sort", "order"),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)

    def delete(self, request: Request, project: str) -> Response:
        drop_view(
            actor=self.actor,
            member=self.member,
            name=request.query_params.get("name", ""),
            request=self.request_id,
        )
        return Response(status=204)


urlpatterns = [
    path("projects/<str:project>/items", Items.as_view(), name="api-items"),
    path("projects/<str:project>/items/bulk", BulkItems.as_view(), name="api-items-bulk"),
    path("projects/<str:project>/items/views", Views.as_view(), name="api-items-views"),
    path("projects/<str:project>/tasks", Tasks.as_view(), name="api-tasks"),
    path("tasks/<str:task>", TaskOne.as_view(), name="api-task"),
]
