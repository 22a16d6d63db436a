"""Verbs on a seat beside saving: withdraw, skip, park, beat, give back, ask for return; and the sweeps."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.utils import timezone

from annotator.actions.steps import seats, states
from annotator.actions.verb import Idem, iso, writing
from annotator.core.errors import Conflict, Invalid, Unavailable
from annotator.models import LIVE, Account, Assignment, Member, Reservation, Skip, Task
from annotator.queries.workflows import grace_s

log = logging.getLogger("concord.seats")
SWEEP = 100  # tasks or seats a sweep takes in one transaction


def _lost() -> Conflict:
    return Conflict("lease_lost", "This seat is no longer yours.", cure="Take the next task.")


def withdraw(
    *,
    actor: Account,
    seat: Assignment,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Take back the own submission within the grace, whatever others did. Raises Conflict("grace_over")."""
    with writing(actor=actor, now=now, idem=idem, request=request, chain=seat.project.public_id) as w:
        if w.replayed is not None:
            return w.replayed
        workflow = seat.task.workflow.document
        since = w.now - timedelta(seconds=grace_s(workflow))
        until = seats.lease(workflow, w.now)
        token = secrets.token_urlsafe(24)
        started = Task.objects.filter(pk=seat.task_id).exclude(state="labelling", round=seat.round).exists()
        changed = (
            not started
            and seat.stage == "label"
            and Assignment.objects.filter(pk=seat.pk, state="submitted", submitted_at__gt=since).update(
                state="live", submitted_at=None, lease_until=until, token=token
            )
        )
        if not changed:
            raise Conflict(
                "grace_over", "The time to withdraw is over.", cure="Ask for the task to be returned to you."
            )
        Task.objects.filter(pk=seat.task_id).update(n_submitted=F("n_submitted") - 1, due_at=None)
        w.event(seat.project.public_id, "annotation.withdrawn", seat.public_id, task=seat.task.public_id)
        return w.answer({"token": token, "lease_until": iso(until)})


def ask_return(
    *, actor: Account, seat: Assignment, reason: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Ask the checker or arbiter to return the own submission; recorded on the seat.

    The answer is the same whether or not the task was decided meanwhile: it would tell that the colleague is done.
    """
    with writing(actor=actor, now=now, request=request, chain=seat.project.public_id) as w:
        asked = Assignment.objects.filter(pk=seat.pk, stage="label", state="submitted")
        if not asked.update(ask_return=reason[:300] or "-"):
            raise Conflict("not_submitted", "Only what was submitted can be returned.")
        w.event(seat.project.public_id, "annotation.return_asked", seat.public_id, task=seat.task.public_id)
        return {"asked": True}


def skip(
    *,
    actor: Account,
    seat: Assignment,
    token: str,
    reason: str,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """ "Not me, not now": frees the seat; limited a day. A task that everybody skipped is marked stuck."""
    if not reason.strip():
        raise Invalid("reason_missing", "Skipping needs a reason.", field="reason")
    with writing(actor=actor, now=now, idem=idem, request=request, chain=seat.project.public_id) as w:
        if w.replayed is not None:
            return w.replayed
        limit = int(seat.task.workflow.document.get("skip_per_day", 20))
        used = Skip.objects.filter(
            person_id=actor.person_id, task__project=seat.project, at__gt=w.now - timedelta(days=1)
        ).count()
        if used >= limit:
            raise Conflict(
                "skip_limit", "You have skipped as often as this project allows in a day.", limit=limit
            )
        _free(w, seat, token, "task.skipped")
        if seat.stage == "label":
            Skip.objects.get_or_create(
                task=seat.task,
                round=seat.round,
                person_id=actor.person_id,
                defaults={"reason": reason[:300], "at": w.now},
            )
            _mark_if_stuck(w, seat)
        return w.answer({"skipped": True, "left_today": limit - used - 1})


def _mark_if_stuck(w: Any, seat: Assignment) -> None:
    people = {
        m.account.person_id
        for m in Member.objects.filter(project=seat.project, active=True).select_related("account")
        if "annotator" in m.roles
    }
    task = Task.objects.get(pk=seat.task_id)
    took = set(
        Assignment.objects.filter(
            task=task, round=task.round, stage="label", state__in=("live", "ahead", "submitted")
        ).values_list("person_id", flat=True)
    )
    skipped = set(Skip.objects.filter(task=task, round=task.round).values_list("person_id", flat=True))
    if task.n_taken < task.n_slots and not people - took - skipped:
        Task.objects.filter(pk=task.pk).update(stuck="skipped by everybody eligible")
        w.event(
            seat.project.public_id,
            "task.stuck",
            task.public_id,
            task=task.public_id,
            data={"skipped": len(skipped)},
        )


def _free(w: Any, seat: Assignment, token: str, verb: str) -> None:
    current = Assignment.objects.select_related("project", "task").get(pk=seat.pk)
    if (
        current.token != token
        or current.state not in LIVE
        or not seats.free_seat(w, current, "released", verb)
    ):
        raise _lost()


def release_seat(
    *, actor: Account, seat: Assignment, token: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Give the seat back without an answer (a closed tab, a prefetched task that is not wanted)."""
    with writing(actor=actor, now=now, request=request, chain=seat.project.public_id) as w:
        _free(w, seat, token, "seat.released")
        return {"released": True}


def park(
    *, actor: Account, seat: Assignment, token: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Keep the seat for the workflow's park time."""
    with writing(actor=actor, now=now, request=request, chain=seat.project.public_id) as w:
        until = w.now + timedelta(seconds=int(seat.task.workflow.document.get("park_s", 86400)))
        if not Assignment.objects.filter(pk=seat.pk, state="live", token=token).update(
            parked=True, lease_until=until
        ):
            raise _lost()
        w.event(seat.project.public_id, "seat.parked", seat.public_id, task=seat.task.public_id)
        return {"lease_until": iso(until)}


def beat(*, actor: Account, seat: Assignment, token: str, now: datetime | None = None) -> dict[str, Any]:
    """Renew the lease; the browser sends it only after input in the last ten minutes. No event: nothing changed."""
    with writing(actor=actor, now=now, chain=seat.project.public_id) as w:
        mine = Assignment.objects.filter(pk=seat.pk, token=token, lease_until__gt=w.now)
        until = seats.lease(seat.task.workflow.document, w.now)
        if mine.filter(state="live").update(lease_until=until, parked=False):
            return {"lease_until": iso(until)}
        until = w.now + seats.AHEAD
        if mine.filter(state="ahead").update(lease_until=until):
            return {"lease_until": iso(until)}
        raise _lost()


def sweep() -> bool:
    """System: what time alone decides - grace over, leases over, reservations over. True when something moved."""
    now = timezone.now()
    due = Task.objects.filter(state="labelling", due_at__lte=now, n_submitted__gte=F("n_slots"))
    over = Assignment.objects.filter(state__in=LIVE, lease_until__lt=now)
    kept = Reservation.objects.filter(until__lt=now)
    if not (due.exists() or over.exists() or kept.exists()):
        return False
    moved = 0
    ready = due.select_related("project", "workflow").order_by("due_at")
    try:
        with writing(actor=None, now=now) as w:
            for task in ready[:SWEEP]:
                states.close_labelling(w, task)
                moved += 1
    except (OperationalError, InterfaceError, Unavailable):
        raise
    except Exception:
        # One damaged task must not hold up all others of the site: each by itself, and it is marked.
        log.exception("labelling could not be closed; one by one")
        moved = sum(_close_alone(task, now) for task in ready[:SWEEP])
    with writing(actor=None, now=now) as w:
        moved += seats.expire_seats(w, limit=SWEEP)
        moved += seats.open_reservations(w, limit=SWEEP)
    return moved > 0


def _close_alone(task: Task, now: datetime) -> int:
    try:
        with writing(actor=None, now=now, chain=task.project.public_id) as w:
            states.close_labelling(w, task)
    except (OperationalError, InterfaceError, Unavailable):
        raise
    except Exception as error:
        log.exception("labelling of task %s could not be closed", task.public_id)
        with writing(actor=None, now=now, chain=task.project.public_id) as w:
            stuck = f"could not be closed: {type(error).__name__}"
            waits = Task.objects.filter(pk=task.pk, state="labelling")
            if waits.update(due_at=None, stuck=stuck[:200]):
                name = task.public_id
                w.event(task.project.public_id, "task.stuck", name, task=name, data={"stage": "label"})
    return 1
