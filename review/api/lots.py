"""Lots: commit, freeze and draw, judge, verdict, void; and what a plan would buy."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door, make_cursor, take
from annotator.core.errors import Invalid, NotFound
from review.actions.judge_lot import close_lot, judge_member, void_lot
from review.actions.make_lot import DEFAULT_QUALITY, DEFAULT_SHARE, commit_lot, freeze_lot
from review.core.sampling import fixed_fraction
from review.models import Lot, LotMember
from review.queries.lots import lot_json, strata

MAX_PREVIEW = 200_000
"""Largest lot for which the page computes the exact curve while somebody types."""


class Lots(Door):
    """The project's lots; a new one."""

    actions: ClassVar[dict[str, str]] = {"GET": "lots.read", "POST": "lots.edit"}

    def get(self, request: Request, project: str) -> Response:
        """{results, next, strata}."""
        cursor, limit = self.cursor(), self.limit()
        found = Lot.objects.filter(project=self.project).order_by("-pk")
        if cursor is not None:
            if len(cursor) != 1 or type(cursor[0]) is not int:
                raise Invalid("bad_cursor", "This cursor was not made by this list.", field="cursor")
            found = found.filter(pk__lt=cursor[0])
        page = list(found[: limit + 1])
        return Response(
            {
                "results": [lot_json(lot) for lot in page[:limit]],
                "next": make_cursor([page[limit - 1].pk]) if len(page) > limit else None,
                "strata": strata(self.project),
            }
        )

    def post(self, request: Request, project: str) -> Response:
        """201 the lot, committed."""
        body = take(
            self.body(),
            {
                "name": str,
                "share": (str, float, int),
                "quality": (str, float, int),
                "schema": (str, type(None)),
                "way": (str, type(None)),
                "plan": str,
            },
            required=("name",),
        )
        answer = commit_lot(
            actor=self.actor,
            project=self.project,
            name=body["name"],
            share=str(body.get("share", DEFAULT_SHARE)),
            quality=str(body.get("quality", DEFAULT_QUALITY)),
            schema=body.get("schema"),
            way=body.get("way"),
            plan=body.get("plan", fixed_fraction.ID),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


class Preview(Door):
    """What a plan would buy for a lot of a given size: GET ?size&share&quality."""

    actions: ClassVar[dict[str, str]] = {"GET": "lots.read"}

    def get(self, request: Request, project: str) -> Response:
        """The plan's record, as it would stand on a frozen lot."""
        query = request.query_params
        raw = query.get("size", "")
        if not raw.isdecimal() or len(raw) > 9 or not 1 <= int(raw) <= MAX_PREVIEW:
            raise Invalid("bad_size", "size is a whole number from 1 to 200,000.", field="size")
        try:
            made = fixed_fraction.plan(
                int(raw), query.get("share", DEFAULT_SHARE)[:12], query.get("quality", DEFAULT_QUALITY)[:12]
            )
        except (ValueError, ZeroDivisionError):
            raise Invalid(
                "bad_share", "Shares lie above 0 and up to 1, such as 0.1.", field="share"
            ) from None
        return Response(fixed_fraction.what_it_buys(made))


class LotDoor(Door):
    """Base of the views of one lot."""

    lot: Lot

    def locate(self, **kwargs: Any) -> str | None:
        """The lot's project. Raises NotFound."""
        found = Lot.objects.select_related("project").filter(public_id=kwargs["lot"]).first()
        if found is None:
            raise NotFound()
        self.lot = found
        return found.project.public_id


class OneLot(LotDoor):
    """One lot's record."""

    actions: ClassVar[dict[str, str]] = {"GET": "lots.read"}

    def get(self, request: Request, lot: str) -> Response:
        """The lot's record."""
        return Response(lot_json(self.lot))


class Freeze(LotDoor):
    """Freeze the members and draw the sample."""

    actions: ClassVar[dict[str, str]] = {"POST": "lots.edit"}

    def post(self, request: Request, lot: str) -> Response:
        """201 the lot, judging."""
        body = take(self.body(), {})
        answer = freeze_lot(actor=self.actor, lot=self.lot, idem=self.idem(body), request=self.request_id)
        return Response(answer, status=201)


class Judgements(LotDoor):
    """Judge one drawn member."""

    actions: ClassVar[dict[str, str]] = {"POST": "lots.judge"}

    def post(self, request: Request, lot: str) -> Response:
        """201 {task, verdict, left}. A task outside the drawn sample is as unknown as one outside the
        project."""
        body = take(
            self.body(),
            {"task": str, "verdict": str, "severity": str, "error_type": str, "note": str},
            required=("task", "verdict"),
        )
        member = (
            LotMember.objects.select_related("lot__project", "task")
            .filter(lot=self.lot, drawn=True, task__public_id=body["task"])
            .first()
        )
        if member is None:
            raise NotFound()
        fields = {name: body[name] for name in ("severity", "error_type", "note") if name in body}
        answer = judge_member(
            actor=self.actor,
            member=member,
            verdict=body["verdict"],
            idem=self.idem(body),
            request=self.request_id,
            **fields,
        )
        return Response(answer, status=201)


class VerdictDoor(LotDoor):
    """Accepted or not accepted."""

    actions: ClassVar[dict[str, str]] = {"POST": "lots.edit"}

    def post(self, request: Request, lot: str) -> Response:
        """201 the lot, decided."""
        body = take(self.body(), {})
        answer = close_lot(actor=self.actor, lot=self.lot, idem=self.idem(body), request=self.request_id)
        return Response(answer, status=201)


class VoidDoor(LotDoor):
    """Give the lot up, with a reason."""

    actions: ClassVar[dict[str, str]] = {"POST": "lots.edit"}

    def post(self, request: Request, lot: str) -> Response:
        """201 the lot, void."""
        body = take(self.body(), {"reason": str}, required=("reason",))
        answer = void_lot(
            actor=self.actor,
            lot=self.lot,
            reason=body["reason"],
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


urlpatterns = [
    path("projects/<str:project>/lots", Lots.as_view()),
    path("projects/<str:project>/lots/preview", Preview.as_view()),
    path("lots/<str:lot>", OneLot.as_view()),
    path("lots/<str:lot>/freeze", Freeze.as_view()),
    path("lots/<str:lot>/judgements", Judgements.as_view()),
    path("lots/<str:lot>/verdict", VerdictDoor.as_view()),
    path("lots/<str:lot>/void", VoidDoor.as_view()),
]
