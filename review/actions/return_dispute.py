"""Verb: an arbiter returns seats of a dispute to their people; the other seats' annotations stand in the
new round."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotator.actions.steps import states
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Assignment
from review.actions.steps.answers import ERROR_TYPES, answer_seat, clean_marks, marks_for, seat_for
from review.models import Dispute


def return_dispute(
    *,
    actor: Account,
    dispute: Dispute,
    token: str,
    sides: list[Any],
    error_type: str,
    marks: Any = (),
    active_ms: int = 0,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"dispute", "state": "returned", "round"}. `sides` names the seats by their keys (A, B…)."""
    if error_type not in ERROR_TYPES:
        raise Invalid(
            "unknown_error_type",
            "There is no such error type.",
            field="error_type",
            cure=", ".join(ERROR_TYPES),
        )
    cleaned = clean_marks(list(marks))
    keys = {side["key"]: side["assignment"] for side in dispute.sides}
    if not sides or not all(isinstance(key, str) and key in keys for key in sides):
        raise Invalid(
            "unknown_side", "Name the sides to return, by their keys.", field="seats", cure=", ".join(keys)
        )
    seat = seat_for(actor, dispute)
    named = {keys[key] for key in sides}
    returned = list(Assignment.objects.select_related("account").filter(public_id__in=named))
    marks_by_seat = {row.pk: marks_for(row, cleaned, error_type) for row in returned}
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        answer_seat(w, seat, token=token, active_ms=active_ms)
        if not Dispute.objects.filter(pk=dispute.pk, state="open").update(state="returned"):
            raise Conflict("state_changed", "The dispute has moved on meanwhile.", cure="Take the next one.")
        w.event(
            seat.project.public_id,
            "dispute.returned",
            dispute.public_id,
            task=seat.task.public_id,
            data={"error_type": error_type, "seats": sorted(named), "seat": seat.public_id},
        )
        states.hand_back(
            w, seat.task, source="disputed", returned=returned, marks=marks_by_seat, error_type=error_type
        )
        answer = {"dispute": dispute.public_id, "state": "returned", "round": seat.task.round}
        return w.answer(answer, 201)  # type: ignore[no-any-return]
