"""Disputes: the list, the verdict, the return. The dispute itself is read through the arbiter's seat."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import Invalid, NotFound
from review.actions.decide_dispute import decide_dispute
from review.actions.return_dispute import return_dispute
from review.models import Dispute
from review.queries.lists import dispute_rows

MAX_ACTIVE_MS = 7 * 86_400_000


def active_of(body: dict[str, Any]) -> int:
    """active_ms of a body: 0 to a week."""
    active = int(body.get("active_ms", 0))
    if not 0 <= active <= MAX_ACTIVE_MS:
        raise Invalid("bad_active_ms", "active_ms is between 0 and a week.", field="active_ms")
    return active


class Disputes(Door):
    """Open disputes, the worst first."""

    actions: ClassVar[dict[str, str]] = {"GET": "disputes.list"}

    def get(self, request: Request, project: str) -> Response:
        """{results, next}."""
        cursor, limit = self.cursor(), self.limit()
        rows, more = dispute_rows(self.project, self.member, cursor, limit)
        return Response(
            {"results": [row["json"] for row in rows], "next": make_cursor(rows[-1]["at"]) if more else None}
        )


class DisputeDoor(Door):
    """Base of the verbs on one dispute."""

    actions: ClassVar[dict[str, str]] = {"POST": "disputes.decide"}
    dispute: Dispute

    def locate(self, **kwargs: Any) -> str | None:
        """The dispute's project. Raises NotFound."""
        found = Dispute.objects.select_related("project", "task").filter(public_id=kwargs["dispute"]).first()
        if found is None:
            raise NotFound()
        self.dispute = found
        return found.project.public_id


class VerdictDoor(DisputeDoor):
    """Decide all differences."""

    def post(self, request: Request, dispute: str) -> Response:
        """201 {dispute, state, digest}."""
        body = take(
            self.body(),
            {"token": str, "decisions": list, "reason_code": str, "active_ms": int, "parts": dict},
            required=("token", "decisions"),
        )
        answer = decide_dispute(
            actor=self.actor,
            dispute=self.dispute,
            token=body["token"],
            decisions=body["decisions"],
            reason_code=body.get("reason_code", ""),
            active_ms=active_of(body),
            parts=body.get("parts", {}),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


class ReturnDoor(DisputeDoor):
    """Return seats to their people."""

    def post(self, request: Request, dispute: str) -> Response:
        """201 {dispute, state, round}."""
        body = take(
            self.body(),
            {"token": str, "seats": list, "error_type": str, "marks": list, "active_ms": int},
            required=("token", "seats", "error_type"),
        )
        answer = return_dispute(
            actor=self.actor,
            dispute=self.dispute,
            token=body["token"],
            sides=body["seats"],
            error_type=body["error_type"],
            marks=body.get("marks", []),
            active_ms=active_of(body),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


urlpatterns = [
    path("projects/<str:project>/disputes", Disputes.as_view()),
    path("disputes/<str:dispute>/verdict", VerdictDoor.as_view()),
    path("disputes/<str:dispute>/return", ReturnDoor.as_view()),
]
