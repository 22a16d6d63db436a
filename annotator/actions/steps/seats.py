"""Steps: taking, renewing, freeing and losing seats. All demand an open transaction.

A seat is taken by a conditional update of the task's counters whose row count decides, and kept by
the constraint `seat_held_once`. The counters `n_taken`, `n_submitted`, `claimable` have no other
writers than these steps and `states`.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, Value, When
from django.db.models.functions import Greatest

from annotator import sql
from annotator.core import document as documents
from annotator.models import (
    HOLDING,
    LIVE,
    Account,
    Assignment,
    Checkpoint,
    ClaimCursor,
    Part,
    Project,
    Reservation,
    Task,
)

if TYPE_CHECKING:
    from annotator.actions.verb import Writing

AHEAD = timedelta(minutes=5)
PRIORITY_STEP = 2**40
EMPTY_DIGEST = documents.digest(documents.empty())


def rank_of(priority: int, order: int) -> int:
    """The queue position: higher priority first, then import order. priority in -999,999..1,000,000."""
    return (1_000_000 - priority) * PRIORITY_STEP + order


def rewind_cursors(project: Project | int, rank: int) -> None:
    """Something opened at `rank`: whoever is past it looks from there again."""
    pk = project if isinstance(project, int) else project.pk
    ClaimCursor.objects.filter(project_id=pk, rank__gte=rank).update(rank=rank - 1)


def lease(workflow: dict[str, Any], now: datetime) -> datetime:
    """When a seat taken or renewed now is over."""
    return now + timedelta(seconds=int(workflow.get("lease_s", 1800)))


def kept_slots(task: Task, own: int | None = None) -> set[int]:
    """Slots of the round that are kept for those whose work was returned, but for the `own` reservation."""
    if task.round == 1:
        return set()  # nothing was returned yet: the hot path asks nothing
    found = sql.rows(
        "SELECT id, slot FROM annotator_reservation WHERE task_id = %s AND round = %s", [task.pk, task.round]
    )
    return {slot for pk, slot in found if pk != own}


def free_slot(task: Task) -> int:
    """The lowest label slot of the round that nobody holds and that is kept for nobody."""
    held = {
        slot
        for (slot,) in sql.rows(
            "SELECT slot FROM annotator_assignment WHERE task_id = %s AND round = %s AND stage = 'label'"
            " AND state IN ('live', 'ahead', 'submitted')",
            [task.pk, task.round],
        )
    } | kept_slots(task)
    return next(n for n in range(task.n_slots + 1) if n not in held)


def occupy(task: Task, own: int | None = None) -> bool:
    """Count one more label seat if the task still has one free; False when somebody was faster.

    Seats kept for others are not free; `own` is the reservation that is being taken up.
    """
    kept = len(kept_slots(task, own))
    changed = sql.run(
        "UPDATE annotator_task SET n_taken = n_taken + 1, state = 'labelling', claimable = %s, stuck = ''"
        " WHERE id = %s AND round = %s AND n_taken = %s AND n_taken + %s < n_slots"
        " AND state IN ('ready', 'labelling', 'returned')",
        [
            bool(task.claimable and task.n_taken + 1 + kept < task.n_slots),
            task.pk,
            task.round,
            task.n_taken,
            kept,
        ],
    )
    if changed:
        task.n_taken += 1
        task.state = "labelling"
    return bool(changed)


def vacate(w: Writing, task_pk: int, *, claimable: bool = True) -> None:
    """Count one label seat less; the slot is offered again from its place in the queue."""
    Task.objects.filter(pk=task_pk).update(
        n_taken=Greatest(F("n_taken") - 1, 0),
        claimable=Value(claimable),
        state=Case(When(state="labelling", n_taken__lte=1, then=Value("ready")), default=F("state")),
        changed_at=w.now,
    )
    project_pk, rank = Task.objects.values_list("project_id", "rank").get(pk=task_pk)
    rewind_cursors(project_pk, rank)


def take_seat(
    w: Writing,
    task: Task,
    *,
    stage: str,
    slot: int,
    account: Account,
    until: datetime,
    state: str = "live",
    start: dict[str, Any] | None = None,
    shown: str = "none",
    marks: list[Any] | None = None,
    base: Assignment | None = None,
) -> Assignment:
    """A new seat for the person (or the person's lost one, taken up again with a new token)."""
    schema_id = task.schema_id or task.project.schema_id
    fields: dict[str, Any] = {
        "slot": slot,
        "account": account,
        "state": state,
        "token": secrets.token_urlsafe(24),
        "lease_until": until,
        "parked": False,
        "shown": shown,
        "claimed_at": w.now,
        "opened_at": w.now if state == "live" else None,
    }
    before, exposed = sql.row(
        "SELECT (SELECT id FROM annotator_assignment WHERE task_id = %s AND round = %s AND stage = %s"
        " AND person_id = %s AND state = 'lost' LIMIT 1),"
        " EXISTS (SELECT 1 FROM annotator_exposure WHERE item_id = %s AND person_id = %s)",
        [task.pk, task.round, stage, account.person_id, task.item_id, account.person_id],
    ) or (None, False)
    if before is not None:
        lost = Assignment.objects.get(pk=before)
        for name, value in fields.items():
            setattr(lost, name, value)
        lost.save(update_fields=list(fields))
        return lost
    seat = Assignment(
        project_id=task.project_id,
        task=task,
        stage=stage,
        round=task.round,
        person_id=account.person_id,
        schema_id=schema_id,
        digest=documents.digest(start) if start is not None else EMPTY_DIGEST,
        exposed=bool(exposed) and stage == "label",
        marks=marks or [],
        base=base,
        **fields,
    )
    seat.save(force_insert=True)
    if start is not None and seat.digest != EMPTY_DIGEST:
        Checkpoint.objects.create(assignment=seat, number=0, document=start)
        grant_parts(seat, documents.part_digests(start))
    return seat


def grant_parts(seat: Assignment, digests: set[str]) -> None:
    """Let the seat read (and refer to) these raster parts."""
    Part.objects.bulk_create(
        [Part(assignment=seat, digest=d) for d in sorted(digests)], ignore_conflicts=True
    )


def start_round(w: Writing, task: Task) -> None:
    """At the first opened seat of a round: pin the schema version and the prelabel set, for all slots alike."""
    if task.pinned_at is not None:
        return
    newest = dict(
        sql.rows(
            "SELECT s.source, p.public_id FROM annotator_prelabel p JOIN annotator_prelabelset s ON s.id = p.set_id"
            " WHERE p.item_id = %s ORDER BY p.set_id",
            [task.item_id],
        )
    )  # the last of a source is its newest
    pinned = sorted(newest.values())
    schema_id = task.project.schema_id
    if Task.objects.filter(pk=task.pk, pinned_at=None).update(
        pinned=pinned, pinned_at=w.now, schema_id=schema_id
    ):
        task.pinned, task.pinned_at, task.schema_id = pinned, w.now, schema_id
        if task.n_taken <= 1:
            return
        # Seats that were taken ahead wait under the version that is pinned now.
        Assignment.objects.filter(task=task, round=task.round, state__in=LIVE, revision=0).update(
            schema_id=schema_id
        )


def shown_to(task: Task, slot: int) -> str:
    """Which exposure a label slot gets: the arm decides; `mixed` shows to one slot by a bit of the seed."""
    if not task.pinned or task.arm == "none":
        return "none"
    if task.arm == "mixed" and (int(task.seed[:8], 16) + slot) % 2:
        return "none"
    return "shown"


def free_seat(
    w: Writing, seat: Assignment, state: str, verb: str, data: dict[str, Any] | None = None
) -> bool:
    """Give a live seat back (released) or declare it lost; False when it was no longer live."""
    changed = Assignment.objects.filter(pk=seat.pk, state__in=LIVE, token=seat.token).update(
        state=state, parked=False
    )
    if not changed:
        return False
    if seat.stage == "label":
        reservation = Reservation.objects.filter(
            task_id=seat.task_id, round=seat.round, slot=seat.slot
        ).exists()
        vacate(w, seat.task_id, claimable=not reservation)
    w.event(seat.project.public_id, verb, seat.public_id, task=seat.task.public_id, data=data or {})
    return True


def expire_seats(w: Writing, project: Project | None = None, limit: int = 200) -> int:
    """Seats whose lease is over become lost and their slots free. Returns how many."""
    over = Assignment.objects.filter(state__in=LIVE, lease_until__lt=w.now).select_related("task", "project")
    if project is not None:
        over = over.filter(project=project)
    n = 0
    for seat in over.order_by("lease_until")[:limit]:
        ahead = seat.state == "ahead"
        n += free_seat(w, seat, "released" if ahead else "lost", "seat.expired")
    return n


def open_reservations(w: Writing, limit: int = 200) -> int:
    """Returned tasks whose person did not come in time are offered to everybody eligible."""
    n = 0
    for kept in Reservation.objects.filter(until__lt=w.now).select_related("task")[:limit]:
        task = kept.task
        if task.round == kept.round and task.state in ("returned", "labelling", "ready"):
            held = Assignment.objects.filter(
                task=task, round=task.round, stage="label", slot=kept.slot, state__in=HOLDING
            )
            if not held.exists():
                Task.objects.filter(pk=task.pk).update(claimable=True)
                rewind_cursors(task.project_id, task.rank)
        kept.delete()
        n += 1
    return n
