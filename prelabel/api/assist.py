"""Interactive tools for the holder of a seat: one click, one region."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import access
from annotator.api.base import Door, take
from annotator.contributions import site
from annotator.core.errors import NotFound
from annotator.models import Assignment
from annotator.queries.work import seat_of
from prelabel.actions.assist import assist

NUMBER = (int, float)
VALUES: dict[str, Any] = {
    "x": NUMBER, "y": NUMBER, "tolerance": NUMBER, "smooth_px": NUMBER, "simplify_px": NUMBER, "output": str,
}  # fmt: skip


class Assist(Door):
    """POST {assignment, asset, tool, …values} answers a region's shape and geometry; nothing is stored."""

    actions: ClassVar[dict[str, str]] = {"POST": "assist.use"}
    seat: Assignment

    def locate(self, **kwargs: Any) -> str | None:
        """The project of the own seat that the body names. Raises NotFound."""
        named = self.body().get("assignment")
        # No seat named and no such seat look alike: who asks without a right learns nothing of the body's
        # form.
        seat = seat_of(self.actor, named) if isinstance(named, str) else None
        if seat is None:
            raise NotFound()
        self.seat = seat
        return seat.project.public_id

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The table's row of the tool, then that of the seat's stage: roles count at once."""
        super().initial(request, *args, **kwargs)
        access.require(self.actor, site.claim_action(self.seat.stage), self.member)

    def post(self, request: Request) -> Response:
        """The region, its area, whether it was cut at the tool's window; for masks the parts."""
        body = take(
            self.body(),
            {"assignment": str, "asset": str, "tool": str, **VALUES},
            required=("assignment", "asset", "tool"),
        )
        values = {name: body[name] for name in VALUES if name in body}
        return Response(
            assist(seat=self.seat, asset=body["asset"], tool=body["tool"], values=values, now=timezone.now())
        )


urlpatterns = [path("assist", Assist.as_view(), name="api-assist")]
