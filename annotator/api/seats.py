"""Seats: claim, read, save, submit, withdraw, skip, park, beat; parked drafts and raster parts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import access, blobs
from annotator.actions import claim_task, save_annotation, seat_verbs
from annotator.actions.verb import iso
from annotator.api.base import Door, take
from annotator.contributions import site
from annotator.core.errors import Invalid, NotFound
from annotator.models import Assignment, ParkedDraft, Part
from annotator.queries.desk import own_drafts
from annotator.queries.work import seat_of, shown_parts, work_of

MAX_ACTIVE_MS = 7 * 86_400_000
SAVE_FIELDS: dict[str, Any] = {
    "token": str,
    "if_revision": int,
    "changes": list,
    "parts": dict,
    "active_ms": int,
    "digest": (str, type(None)),
}


class Claims(Door):
    """POST = the next task, or an empty answer with its reason."""

    actions: ClassVar[dict[str, str]] = {"POST": "project.read"}

    def post(self, request: Request, project: str) -> Response:
        """201 Work, or 200 with assignment null."""
        body = take(self.body(), {"stage": str, "ahead": bool})
        stage = body.get("stage", "label")
        access.require(self.actor, site.claim_action(stage), self.member)
        answer = claim_task.claim_task(
            actor=self.actor,
            project=self.project,
            member=self.member,
            stage=stage,
            ahead=body.get("ahead", False),
            idem=self.idem(body),
            request=self.request_id,
        )
        if answer["assignment"] is None:
            return Response(answer)
        seat = seat_of(self.actor, answer["assignment"])
        assert seat is not None
        return Response(work_of(seat), status=201)


class SeatDoor(Door):
    """Base of the views of one own seat; a seat of somebody else does not exist.

    Roles count at once: who may no longer work in the seat's stage changes nothing there, and sees of it only
    what is own (a label seat; the others show colleagues' work).
    """

    seat: Assignment

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The table's row of the seat, then that of its stage."""
        super().initial(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or self.seat.stage != "label":
            access.require(self.actor, site.claim_action(self.seat.stage), self.member)

    def locate(self, **kwargs: Any) -> str | None:
        """The project of the own seat. Raises NotFound."""
        seat = seat_of(self.actor, kwargs["assignment"])
        if seat is None:
            raise NotFound()
        self.seat = seat
        return seat.project.public_id


class Seat(SeatDoor):
    """One own seat."""

    actions: ClassVar[dict[str, str]] = {"GET": "seat.own"}

    def get(self, request: Request, assignment: str) -> Response:
        """Work."""
        return Response(work_of(self.seat))


def _save_body(body: dict[str, Any]) -> dict[str, Any]:
    take(body, SAVE_FIELDS, required=("token", "if_revision", "changes"))
    active = body.get("active_ms", 0)
    if not 0 <= active <= MAX_ACTIVE_MS:
        raise Invalid("bad_active_ms", "active_ms is between 0 and a week.", field="active_ms")
    if not 0 <= body["if_revision"] < 2**31:
        raise Invalid("bad_revision", "if_revision is a revision number.", field="if_revision")
    return {
        "token": body["token"],
        "if_revision": body["if_revision"],
        "changes": body["changes"],
        "parts": body.get("parts", {}),
        "active_ms": active,
        "expected_digest": body.get("digest"),
    }


class Revisions(SeatDoor):
    """Save changes on a revision."""

    actions: ClassVar[dict[str, str]] = {"POST": "seat.own"}
    submit = False

    def post(self, request: Request, assignment: str) -> Response:
        """201 {revision, digest, lease_until, saved_at}."""
        body = self.body()
        answer = save_annotation.save_annotation(
            actor=self.actor,
            seat=self.seat,
            submit=self.submit,
            idem=self.idem(body),
            request=self.request_id,
            **_save_body(body),
        )
        return Response(answer, status=201)


class Submission(Revisions):
    """Save and answer the seat."""

    submit = True


class SeatVerb(SeatDoor):
    """A small verb on the seat: POST with its few fields."""

    actions: ClassVar[dict[str, str]] = {"POST": "seat.own"}
    fields: ClassVar[dict[str, Any]] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def post(self, request: Request, assignment: str) -> Response:
        """The verb's answer."""
        body = take(self.body(), self.fields, self.required)
        return Response(self.act(body))

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """Call the verb."""
        raise AssertionError("a SeatVerb names its verb")


class Open(SeatVerb):
    """An ahead seat becomes a started one."""

    fields: ClassVar[dict[str, Any]] = {"token": str}

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """Work of the started seat."""
        claim_task.open_seat(actor=self.actor, seat=self.seat, request=self.request_id)
        seat = seat_of(self.actor, self.seat.public_id)
        assert seat is not None
        return work_of(seat)


class Withdrawal(SeatVerb):
    """Take back the own submission within the grace."""

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """{token, lease_until}."""
        return seat_verbs.withdraw(
            actor=self.actor, seat=self.seat, idem=self.idem(body), request=self.request_id
        )


class ReturnRequest(SeatVerb):
    """Ask for the own submission back."""

    fields: ClassVar[dict[str, Any]] = {"reason": str}

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """{asked}."""
        return seat_verbs.ask_return(
            actor=self.actor, seat=self.seat, reason=body.get("reason", ""), request=self.request_id
        )


class Skip(SeatVerb):
    """Not me, not now."""

    fields: ClassVar[dict[str, Any]] = {"token": str, "reason": str}
    required = ("token", "reason")

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """{skipped, left_today}."""
        return seat_verbs.skip(
            actor=self.actor,
            seat=self.seat,
            token=body["token"],
            reason=body["reason"],
            idem=self.idem(body),
            request=self.request_id,
        )


class Park(SeatVerb):
    """Keep the seat for longer."""

    fields: ClassVar[dict[str, Any]] = {"token": str}
    required = ("token",)

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """{lease_until}."""
        return seat_verbs.park(actor=self.actor, seat=self.seat, token=body["token"], request=self.request_id)


class Heartbeat(Park):
    """Renew the lease after input."""

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """{lease_until}."""
        return seat_verbs.beat(actor=self.actor, seat=self.seat, token=body["token"])


class Release(Park):
    """Give the seat back without an answer."""

    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        """{released}."""
        return seat_verbs.release_seat(
            actor=self.actor, seat=self.seat, token=body["token"], request=self.request_id
        )


class PartBytes(SeatDoor):
    """One raster part that this seat wrote, was handed or is shown in a prelabel."""

    actions: ClassVar[dict[str, str]] = {"GET": "seat.own"}

    def get(self, request: Request, assignment: str, digest: str) -> HttpResponse:
        """The bytes; 404 for a part of any other seat, so that a digest tells nothing."""
        own = Part.objects.filter(assignment=self.seat, digest=digest).exists()
        if not own and digest not in shown_parts(self.seat):
            raise NotFound()
        response = HttpResponse(blobs.read(digest), content_type="application/octet-stream")
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
        return response


class ParkedDrafts(Door):
    """Own parked drafts."""

    actions: ClassVar[dict[str, str]] = {"GET": "account.self"}

    def get(self, request: Request) -> Response:
        """Newest first, at most 200."""
        rows = own_drafts(self.actor).order_by("-id")[:200]
        return Response({"results": [_parked(row) for row in rows]})


class Parked(Door):
    """One own parked draft, with its changes."""

    actions: ClassVar[dict[str, str]] = {"GET": "account.self"}

    def get(self, request: Request, draft: str) -> Response:
        """The draft. 404 for others'."""
        row = own_drafts(self.actor).filter(public_id=draft).first()
        if row is None:
            raise NotFound()
        return Response(
            _parked(row) | {"if_revision": row.if_revision, "changes": row.changes, "parts": row.parts}
        )


def _parked(row: ParkedDraft) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "assignment": row.assignment.public_id,
        "project": row.assignment.project.public_id,
        "at": iso(row.at),
        "n_changes": len(row.changes),
    }


_SEAT = "assignments/<str:assignment>"
urlpatterns = [
    path("projects/<str:project>/claims", Claims.as_view()),
    path(_SEAT, Seat.as_view()),
    path(f"{_SEAT}/revisions", Revisions.as_view()),
    path(f"{_SEAT}/submission", Submission.as_view()),
    path(f"{_SEAT}/open", Open.as_view()),
    path(f"{_SEAT}/withdrawal", Withdrawal.as_view()),
    path(f"{_SEAT}/return-request", ReturnRequest.as_view()),
    path(f"{_SEAT}/skip", Skip.as_view()),
    path(f"{_SEAT}/park", Park.as_view()),
    path(f"{_SEAT}/heartbeat", Heartbeat.as_view()),
    path(f"{_SEAT}/release", Release.as_view()),
    path(f"{_SEAT}/parts/<str:digest>", PartBytes.as_view()),
    path("parked", ParkedDrafts.as_view()),
    path("parked/<str:draft>", Parked.as_view()),
]
