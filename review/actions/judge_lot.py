"""Verbs: a drawn member is judged; when all are, the lot gets its verdict; or it is voided with a reason.

A verdict and its count never change. Taking a lot that was not accepted back to the check stage, and
recording mends and returns that wait for an open lot, are not built yet: while a lot is open such verbs are
refused with the reason.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from annotator.actions.verb import Idem, Writing, writing
from annotator.core.errors import Conflict, Forbidden, Invalid
from annotator.models import Account, Task
from review.actions.steps.answers import ERROR_TYPES
from review.core.sampling import fixed_fraction
from review.models import Lot, LotMember
from review.queries.lots import DECIDING, lot_json, plan_of
from review.queries.waiting import without_part

NOTE_CHARS = 500


def judge_member(
    *,
    actor: Account,
    member: LotMember,
    verdict: str,
    severity: str = "",
    error_type: str = "",
    note: str = "",
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"task", "verdict", "left"}. `verdict` is right or wrong; wrong needs a class and an error type.

    Raises Forbidden("own_part") for whoever had a part in the item, Conflict("judged_already" |
    "state_changed").
    """
    if verdict not in ("right", "wrong"):
        raise Invalid("unknown_verdict", "An item is right or wrong.", field="verdict", cure="right, wrong")
    if verdict == "right":
        severity = error_type = ""
    elif severity not in ("A", "B", "C"):
        raise Invalid("class_missing", "A wrong item has a class: A, B or C.", field="severity")
    elif error_type not in ERROR_TYPES:
        raise Invalid(
            "unknown_error_type",
            "There is no such error type.",
            field="error_type",
            cure=", ".join(ERROR_TYPES),
        )
    if len(note) > NOTE_CHARS:
        raise Invalid("note_too_long", "A note has at most 500 characters.", field="note")
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        if not without_part(Task.objects.filter(pk=member.task_id), actor.person_id).exists():
            raise Forbidden("own_part", "You had a part in this item, so somebody else judges it.")
        changed = LotMember.objects.filter(pk=member.pk, drawn=True, verdict="", lot__state="judging").update(
            verdict=verdict,
            severity=severity,
            error_type=error_type,
            note=note,
            judge_id=actor.person_id,
            judged_at=w.now,
        )
        if not changed:
            raise Conflict("judged_already", "This member was judged already, or the lot is decided.")
        lot = member.lot
        w.event(
            lot.project.public_id,
            "lot.judged",
            lot.public_id,
            task=member.task.public_id,
            data={"verdict": verdict, "class": severity, "error_type": error_type},
        )
        left = LotMember.objects.filter(lot=lot, drawn=True, verdict="").count()
        return w.answer({"task": member.task.public_id, "verdict": verdict, "left": left}, 201)  # type: ignore[no-any-return]


def close_lot(
    *, actor: Account, lot: Lot, now: datetime | None = None, idem: Idem | None = None, request: str = ""
) -> dict[str, Any]:
    """The verdict: accepted or not accepted, when all drawn are judged. Raises Conflict("not_all_judged")."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        rows = list(LotMember.objects.filter(lot=lot, drawn=True).values_list("verdict", "severity"))
        left = sum(not verdict for verdict, _ in rows)
        if left:
            raise Conflict("not_all_judged", "All drawn members are judged before the verdict.", left=left)
        classes = Counter(severity for verdict, severity in rows if verdict == "wrong")
        found = sum(classes[name] for name in DECIDING)
        accepted = classes["A"] == 0 and fixed_fraction.judge(plan_of(lot), found)
        state = "accepted" if accepted else "not_accepted"
        changed = Lot.objects.filter(pk=lot.pk, state="judging").update(
            state=state, found=found, verdict_at=w.now
        )
        if not changed:
            raise Conflict("state_changed", "This lot was decided or voided meanwhile.")
        data = {
            "n": lot.n,
            "ac": lot.ac,
            "found": found,
            "wrong": dict(sorted(classes.items())),
            "seed": lot.seed,
        }
        return _end(w, lot, f"lot.{state}", data)


def void_lot(
    *,
    actor: Account,
    lot: Lot,
    reason: str,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """No verdict: the lot's members are free again; the reason stands in its record."""
    if not reason.strip() or len(reason) > 300:
        raise Invalid(
            "reason_missing", "Voiding a lot needs a reason of at most 300 characters.", field="reason"
        )
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        changed = Lot.objects.filter(pk=lot.pk, state__in=("committed", "judging")).update(
            state="void", reason=reason.strip(), verdict_at=w.now
        )
        if not changed:
            raise Conflict("state_changed", "This lot was decided or voided meanwhile.")
        return _end(w, lot, "lot.voided", {"reason": reason.strip()})


def _end(w: Writing, lot: Lot, verb: str, data: dict[str, Any]) -> dict[str, Any]:
    LotMember.objects.filter(lot=lot).update(open=False)
    w.event(lot.project.public_id, verb, lot.public_id, data=data)
    lot.refresh_from_db()
    return w.answer(lot_json(lot), 201)  # type: ignore[no-any-return]
