"""Verb: the next task for this person, or why there is none.

Order: the seat already held, what was returned to this person, then the queue by rank from the
person's cursor, and once more from the front when the cursor reaches the end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from annotator import sql
from annotator.actions.steps import seats
from annotator.actions.verb import Idem, Writing, iso, writing
from annotator.contributions import site
from annotator.core.errors import Conflict, Invalid, NotFound
from annotator.models import (
    LIVE,
    Account,
    Assignment,
    Exposure,
    Member,
    Project,
    Reservation,
    Task,
)
from annotator.queries.documents import read_document
from annotator.queries.next_task import candidate
from annotator.queries.versions import workflow_version

TRIES = 20  # a candidate may be gone between reading and taking only where a writer skips the lock


def claim_task(
    *,
    actor: Account,
    project: Project,
    member: Member,
    stage: str = "label",
    ahead: bool = False,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"assignment": public id} or {"assignment": None, "reason": {...}}.

    `ahead` asks for one seat more to be prefetched: it has a short lease, is not pinned and not
    started until opened, and is refused while there are fewer ready tasks than people.
    """
    if stage != "label" and (stage not in site.claim_policies or ahead):
        raise Invalid(
            "unknown_stage",
            "There is no such stage to claim.",
            field="stage",
            cure="Use label, check or arbitrate.",
        )
    with writing(actor=actor, now=now, idem=idem, request=request, chain=project.public_id) as w:
        if w.replayed is not None:
            return w.replayed
        if sql.row("SELECT 1 FROM annotator_member WHERE id = %s AND active", [member.pk]) is None:
            raise NotFound()  # removed since the door asked: no seat is left behind that nobody could answer
        seat = (
            _label_seat(w, project, member, ahead)
            if stage == "label"
            else _policy_seat(w, project, member, stage)
        )
        if isinstance(seat, dict):
            return w.answer({"assignment": None, "reason": seat})
        return w.answer({"assignment": seat.public_id})


def _held(person: int, project: Project, stage: str, now: datetime) -> dict[str, Assignment]:
    """The person's seats of a stage that are not parked, by state (live, ahead)."""
    found = sql.rows(
        "SELECT state, id FROM annotator_assignment WHERE account_id IN (SELECT id FROM annotator_account"
        " WHERE id = %s OR same_person_as_id = %s) AND state IN ('live', 'ahead') AND project_id = %s"
        " AND stage = %s AND NOT parked AND lease_until > %s ORDER BY id DESC",
        [person, person, project.pk, stage, sql.moment(now)],
    )
    return {
        state: Assignment.objects.select_related("task__project", "task__workflow", "project").get(pk=pk)
        for state, pk in found
    }


def _label_seat(w: Writing, project: Project, member: Member, ahead: bool) -> Assignment | dict[str, Any]:
    person = member.account.person_id
    if project.paused:
        return {"code": "paused", "message": "The project is paused."}
    held = _held(person, project, "label", w.now)
    if not ahead:
        if "live" in held:
            return held["live"]  # a second tab gets the same seat, with the same token
        if "ahead" in held:
            return open_seat_step(w, held["ahead"])
    elif "ahead" in held:
        return held["ahead"]
    kept = _kept_for(w, project, member)
    if kept is not None:
        if ahead:  # else whoever always has a seat ahead would never come to what was returned
            return {"code": "nothing_left", "message": "What was returned to you comes first."}
        returned = _returned(w, member, kept)
        if returned is not None:
            return returned
    workflow = workflow_version(project.workflow_id).document if project.workflow_id else {}
    if ahead and not _enough(project):
        return {"code": "nothing_left", "message": "Too few tasks are left to keep one ahead."}
    for _ in range(TRIES):
        task = candidate(project, member, workflow)
        if task is None and seats.expire_seats(w, project):
            task = candidate(project, member, workflow)
        if task is None:
            return why_empty(project, member, w.now)
        if seats.occupy(task):
            break
    else:
        return {
            "code": "all_leased",
            "message": "Others are taking the last tasks right now.",
            "until": iso(w.now),
        }
    return _seat_of(w, task, member.account, ahead)


def _seat_of(w: Writing, task: Task, account: Account, ahead: bool) -> Assignment:
    slot = seats.free_slot(task) if task.n_taken > 1 or task.round > 1 else 0
    until = w.now + seats.AHEAD if ahead else seats.lease(task.workflow.document, w.now)
    if not ahead:
        seats.start_round(w, task)
    seat = seats.take_seat(
        w,
        task,
        stage="label",
        slot=slot,
        account=account,
        until=until,
        state="ahead" if ahead else "live",
        shown="none" if ahead else seats.shown_to(task, slot),
    )
    sql.run(
        "INSERT INTO annotator_claimcursor (project_id, person_id, rank) VALUES (%s, %s, %s)"
        " ON CONFLICT (project_id, person_id) DO UPDATE SET rank = excluded.rank",
        [task.project_id, account.person_id, task.rank],
    )
    w.event(
        task.project.public_id,
        "seat.ahead" if ahead else "task.claimed",
        seat.public_id,
        task=task.public_id,
        data={"stage": "label", "round": task.round, "slot": slot},
    )
    return seat


def _note_shown(seat: Assignment, task: Task) -> None:
    seat.shown = seats.shown_to(task, seat.slot)
    Assignment.objects.filter(pk=seat.pk).update(shown=seat.shown)


def _kept_for(w: Writing, project: Project, member: Member) -> int | None:
    """The reservation of what was returned to this person, the oldest first."""
    found = sql.row(
        "SELECT r.id FROM annotator_reservation r JOIN annotator_task t ON t.id = r.task_id AND t.round = r.round"
        " WHERE r.person_id = %s AND t.project_id = %s AND r.until >= %s"
        " AND t.state IN ('returned', 'labelling', 'ready') ORDER BY r.id LIMIT 1",
        [member.account.person_id, project.pk, sql.moment(w.now)],
    )
    return None if found is None else int(found[0])


def _returned(w: Writing, member: Member, reservation: int) -> Assignment | None:
    """The seat of what was returned; None when somebody else has it now."""
    kept = Reservation.objects.select_related("task__project", "task__workflow", "base").get(pk=reservation)
    task = kept.task
    if not seats.occupy(task, own=kept.pk):
        return None
    seats.start_round(w, task)
    start = read_document(kept.base) if kept.base else None
    seat = seats.take_seat(
        w,
        task,
        stage="label",
        slot=kept.slot,
        account=member.account,
        until=seats.lease(task.workflow.document, w.now),
        start=start,
        marks=kept.marks,
        base=kept.base,
    )
    _note_shown(seat, task)
    w.event(
        task.project.public_id,
        "task.claimed",
        seat.public_id,
        task=task.public_id,
        data={"stage": "label", "round": task.round, "slot": kept.slot, "returned": True},
    )
    kept.delete()
    return seat


def _enough(project: Project) -> bool:
    """More claimable tasks than active annotators (a bounded count)."""
    people = sum("annotator" in m.roles for m in Member.objects.filter(project=project, active=True))
    ready = (
        Task.objects.filter(project=project, claimable=True)
        .order_by("rank")
        .values("pk")[people : people + 1]
    )
    return ready.exists()


def why_empty(project: Project, member: Member, now: datetime) -> dict[str, Any]:
    """The reason of an empty queue. Tells nothing of a colleague: only of own work and of leases."""
    person = member.account.person_id
    tasks = Task.objects.filter(project=project)
    if not tasks.exists():
        return {"code": "nothing_left", "message": "Nothing has been imported yet."}
    # Of tasks with an own part nothing is told: it would say what the colleague on them is doing.
    part = Assignment.objects.filter(task=OuterRef("pk"), round=OuterRef("round"), person_id=person)
    others = tasks.filter(~Exists(part.exclude(state__in=("released", "lost"))))
    if others.filter(~Q(stuck=""), state__in=("ready", "labelling", "returned")).exists():
        return {
            "code": "stuck",
            "message": "The tasks that are left were skipped by everybody; the lead has been told.",
        }
    leased = (
        Assignment.objects.filter(project=project, stage="label", state__in=LIVE, lease_until__gt=now)
        .filter(task__in=others.values("pk"))
        .exclude(person_id=person)
        .order_by("lease_until")
        .values_list("lease_until", flat=True)
        .first()
    )
    if leased is not None:
        return {
            "code": "all_leased",
            "message": "All tasks that are left are being worked on.",
            "until": iso(leased),
        }
    mine = Assignment.objects.filter(
        project=project, person_id=person, stage="label", state="submitted"
    ).exists()
    if mine:
        return {"code": "all_yours_done", "message": "You have done all that is yours here."}
    return {"code": "nothing_left", "message": "Nothing is left to label."}


def _policy_seat(w: Writing, project: Project, member: Member, stage: str) -> Assignment | dict[str, Any]:
    """A seat of a stage that an upper wing owns: one live holder a task, same lease rules."""
    policy = site.claim_policies[stage]
    person = member.account.person_id
    held = _held(person, project, stage, w.now)
    if "live" in held:
        return held["live"]
    seats.expire_seats(w, project)
    task = policy.find(w, project, member.account)
    if task is None:
        return policy.empty(project, member.account)
    start = policy.start(w, task, member.account)
    seat = seats.take_seat(
        w,
        task,
        stage=stage,
        slot=0,
        account=member.account,
        until=seats.lease(task.workflow.document, w.now),
        start=start,
    )
    if policy.parts is not None:
        seats.grant_parts(seat, policy.parts(task))
    # Whoever saw colleagues' work here does not label the item in a later round, also after giving the seat back.
    Exposure.objects.bulk_create(
        [Exposure(item_id=task.item_id, person_id=person, why=stage, at=w.now)], ignore_conflicts=True
    )
    w.event(
        project.public_id,
        "task.claimed",
        seat.public_id,
        task=task.public_id,
        data={"stage": stage, "round": task.round},
    )
    return seat


def open_seat_step(w: Writing, seat: Assignment) -> Assignment:
    """Step: an ahead seat becomes a started one, pinned and with a full lease."""
    task = seat.task
    if task.round != seat.round:
        raise Conflict("lease_lost", "This task has moved on meanwhile.")
    seats.start_round(w, task)
    until = seats.lease(task.workflow.document, w.now)
    if not Assignment.objects.filter(pk=seat.pk, state="ahead").update(
        state="live", opened_at=w.now, lease_until=until, schema_id=task.schema_id
    ):
        raise Conflict("lease_lost", "This seat was freed meanwhile.")
    seat.state, seat.lease_until, seat.schema_id = "live", until, task.schema_id
    _note_shown(seat, task)
    w.event(
        task.project.public_id,
        "task.claimed",
        seat.public_id,
        task=task.public_id,
        data={"stage": "label", "round": task.round, "slot": seat.slot},
    )
    return seat


def open_seat(
    *, actor: Account, seat: Assignment, now: datetime | None = None, request: str = ""
) -> Assignment:
    """Verb: start the seat that was kept ahead; an open one stays as it is."""
    with writing(actor=actor, now=now, request=request, chain=seat.project.public_id) as w:
        seat = Assignment.objects.select_related("task__project", "task__workflow", "project").get(pk=seat.pk)
        if seat.state == "live":
            return seat
        if seat.state != "ahead" or seat.lease_until < w.now - timedelta(seconds=1):
            raise Conflict("lease_lost", "This seat was freed meanwhile.", cure="Take the next task.")
        return open_seat_step(w, seat)
