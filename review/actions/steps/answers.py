"""Steps: answering an arbiter's or checker's seat, and checking what comes out. All demand an open
transaction."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from django.db import transaction

from annotator.actions.verb import Writing
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Assignment
from annotator.queries.documents import read_document
from review.models import Dispute

ERROR_TYPES = ("missed", "extra", "wrong_label", "wrong_extent", "wrong_attribute", "wrong_relation")
MARK_CHARS = 500


def answer_seat(w: Writing, seat: Assignment, *, token: str, active_ms: int) -> None:
    """The seat is answered: one conditional update, whoever holds the token of the live seat.

    Raises Conflict("already_answered") or Conflict("lease_lost"). A seat whose lease ran out but that nobody
    took is still live in the database, and its holder's answer counts.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a seat is answered inside a verb only")
    since = seat.saved_at or seat.opened_at or seat.claimed_at
    # Active time is the browser's word, never more than the time since the last save.
    active = max(0, min(active_ms, int((w.now - since).total_seconds() * 1000)))
    changed = Assignment.objects.filter(pk=seat.pk, token=token, state="live").update(
        state="submitted", submitted_at=w.now, active_ms=seat.active_ms + active, parked=False
    )
    if changed:
        return
    state = Assignment.objects.filter(pk=seat.pk, token=token).values_list("state", flat=True).first()
    if state == "submitted":
        raise Conflict("already_answered", "This was answered already; the first answer stands.")
    raise Conflict(
        "lease_lost", "Your time for this task ran out and the seat is free again.", cure="Take the next one."
    )


def clean_marks(value: Any) -> list[dict[str, Any]]:
    """Marks of a return: [{"region"?: id, "text": …, "error_type"?: …}]; Invalid names the place."""
    if not isinstance(value, list) or len(value) > 200:
        raise Invalid("bad_marks", "marks is a list of at most 200 objects.", field="marks")
    marks = []
    for index, entry in enumerate(value):
        where = f"marks.{index}"
        if not isinstance(entry, dict) or set(entry) - {"region", "text", "error_type"}:
            raise Invalid("bad_mark", "A mark has a text and may name a region and an error.", field=where)
        text, region, error_type = entry.get("text", ""), entry.get("region"), entry.get("error_type", "")
        if not isinstance(text, str) or len(text) > MARK_CHARS:
            raise Invalid("bad_mark", "The text of a mark has at most 500 characters.", field=f"{where}.text")
        if region is not None and not isinstance(region, str):
            raise Invalid("bad_mark", "A mark names a region by its id.", field=f"{where}.region")
        if error_type != "" and error_type not in ERROR_TYPES:
            raise Invalid(
                "unknown_error_type",
                "There is no such error type.",
                field=f"{where}.error_type",
                cure=", ".join(ERROR_TYPES),
            )
        marks.append(
            {"text": text}
            | ({"region": region} if region is not None else {})
            | ({"error_type": error_type} if error_type != "" else {})
        )
    return marks


def seat_for(actor: Account, dispute: Dispute) -> Assignment:
    """The actor's own arbitration seat of this dispute. Conflict("no_seat") for anybody who has not
    claimed it."""
    seat = (
        Assignment.objects.select_related(
            "project", "task__workflow", "task__project", "task__item", "schema"
        )
        .filter(task_id=dispute.task_id, round=dispute.round, stage="arbitrate", person_id=actor.person_id)
        .exclude(state="released")
        .first()
    )
    if seat is None:
        raise Conflict("no_seat", "You have not taken this dispute.", cure="Take the next dispute first.")
    return seat


def marks_for(
    seat: Assignment, marks: list[dict[str, Any]], error_type: str, agreed: Container[str] = ()
) -> list[dict[str, Any]]:
    """The marks that this seat's person may read: those on own regions and those on none. A mark on a
    colleague's region would tell what the colleague drew; where both drew it alike (`agreed`), the text is for
    both, and the id, which is the colleague's, stays away."""
    own = read_document(seat)["regions"]
    shown = []
    for mark in marks:
        region = mark.get("region")
        if region is None or region in own:
            shown.append({"error_type": error_type, **mark})
        elif region in agreed:
            shown.append({"error_type": error_type, **mark})
            del shown[-1]["region"]
    return shown
