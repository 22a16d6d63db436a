"""Checks: the list of what waits, and the outcome of an own seat."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import NotFound
from annotator.models import Assignment
from annotator.queries.work import seat_of
from review.actions.settle_check import settle_check
from review.api.disputes import active_of
from review.queries.lists import check_rows


class Checks(Door):
    """Tasks that wait for a check, in the queue's order."""

    actions: ClassVar[dict[str, str]] = {"GET": "checks.list"}

    def get(self, request: Request, project: str) -> Response:
        """{results, next}."""
        rows, more = check_rows(self.project, self.member, self.cursor(), self.limit())
        return Response(
            {"results": [row["json"] for row in rows], "next": make_cursor(rows[-1]["at"]) if more else None}
        )


class Outcome(Door):
    """The outcome of one own check seat; a seat of somebody else does not exist."""

    actions: ClassVar[dict[str, str]] = {"POST": "checks.settle"}
    seat: Assignment

    def locate(self, **kwargs: Any) -> str | None:
        """The seat's project. Raises NotFound."""
        seat = seat_of(self.actor, kwargs["assignment"])
        if seat is None or seat.stage != "check":
            raise NotFound()
        self.seat = seat
        return seat.project.public_id

    def post(self, request: Request, assignment: str) -> Response:
        """201 {outcome, state, …}."""
        body = take(
            self.body(),
            {
                "token": str,
                "outcome": str,
                "error_type": str,
                "marks": list,
                "active_ms": int,
                "if_revision": (int, type(None)),
            },
            required=("token", "outcome"),
        )
        answer = settle_check(
            actor=self.actor,
            seat=self.seat,
            token=body["token"],
            outcome=body["outcome"],
            error_type=body.get("error_type", ""),
            marks=body.get("marks", []),
            active_ms=active_of(body),
            if_revision=body.get("if_revision"),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


urlpatterns = [
    path("projects/<str:project>/checks", Checks.as_view()),
    path("checks/<str:assignment>/outcome", Outcome.as_view()),
]
