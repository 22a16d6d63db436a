"""Steps of a lead's actions on one task: set aside, restore, requeue, priority, tags.

Each is one conditional update and one event; an action that does not fit the task's state changes nothing and says so.
A frozen task (an open lot's member) is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotator.actions.steps import states
from annotator.actions.steps.seats import free_seat, rank_of, rewind_cursors
from annotator.contributions import site
from annotator.core.errors import Conflict
from annotator.models import LIVE, Assignment, Item, Reservation, Skip, Task

if TYPE_CHECKING:
    from annotator.actions.verb import Writing

TAKES_ASIDE = ("ready", "labelling", "compare", "disputed", "check", "returned")


def frozen(task: Task) -> str | None:
    """Why an upper wing holds the task, or None."""
    for check in site.frozen_checks:
        reason = check(task)
        if reason:
            return str(reason)
    return None


def set_aside(w: Writing, task: Task, reason: str) -> str:
    """Take a task out of the work; live seats are freed (their saved revisions stay). "" or why not."""
    if task.state not in TAKES_ASIDE:
        return f"state_{task.state}"
    before = task.state
    for seat in Assignment.objects.select_related("task", "project").filter(task=task, state__in=LIVE):
        free_seat(w, seat, "lost", "seat.lost", {"why": "set_aside"})
    task.refresh_from_db()
    source = task.state
    try:
        states.move(
            w,
            task,
            source,
            "set_aside",
            "task.set_aside",
            data={"by": "lead", "from": before},
            state_before=source,
            reason=reason[:300],
            claimable=False,
            due_at=None,
        )
    except Conflict:
        return "state_changed"
    return ""


def restore(w: Writing, task: Task, reason: str) -> str:
    """Back to the state it left; a task that waited for labels is offered again."""
    if task.state != "set_aside":
        return f"state_{task.state}"
    target = task.state_before or "ready"
    if target == "ready" and task.n_submitted >= task.n_slots:
        return _anew(w, task)
    if target in ("ready", "labelling"):
        target = "labelling" if task.n_taken else "ready"
    kept = Reservation.objects.filter(task=task, round=task.round).count()
    open_ = target in ("ready", "labelling") and task.n_taken + kept < task.n_slots
    due = w.now if target == "labelling" and task.n_submitted >= task.n_slots else None
    try:
        states.move(
            w,
            task,
            "set_aside",
            target,
            "task.restored",
            data={"to": target},
            state_before="",
            reason="",
            claimable=open_,
            due_at=due,
        )
    except Conflict:
        return "state_changed"
    if target == "returned" and not kept:
        Task.objects.filter(pk=task.pk).update(claimable=True)
        open_ = True
    if open_:
        rewind_cursors(task.project_id, task.rank)
    return ""


def _anew(w: Writing, task: Task) -> str:
    """A task that its people called unusable, and the lead does not: a new round, labelled from the start.

    Back to the state it left would only come to the same answer again.
    """
    try:
        states.move(
            w,
            task,
            "set_aside",
            "ready",
            "task.restored",
            data={"to": "ready", "round": task.round + 1},
            round=task.round + 1,
            n_taken=0,
            n_submitted=0,
            pinned=[],
            pinned_at=None,
            schema=None,
            check_level=0,
            state_before="",
            reason="",
            claimable=True,
            due_at=None,
        )
    except Conflict:
        return "state_changed"
    rewind_cursors(task.project_id, task.rank)
    return ""


def requeue(w: Writing, task: Task, reason: str) -> str:
    """Offer a task again: skips of this round are forgotten, "stuck" is taken off, it stands at its place again."""
    if task.state not in ("ready", "labelling", "returned"):
        return f"state_{task.state}"
    skips = Skip.objects.filter(task=task, round=task.round).delete()[0]
    open_ = task.n_taken < task.n_slots
    kept = Reservation.objects.filter(task=task, round=task.round).delete()[0]
    Task.objects.filter(pk=task.pk).update(stuck="", claimable=open_, changed_at=w.now)
    if open_:
        rewind_cursors(task.project_id, task.rank)
    w.event(
        task.project.public_id,
        "task.requeued",
        task.public_id,
        task=task.public_id,
        data={"skips": skips, "reservations": kept},
    )
    return ""


def set_priority(w: Writing, task: Task, value: int) -> str:
    """A new place in the queue; raised tasks are seen by those who are past them."""
    if task.priority == value:
        return "same"
    rank = rank_of(value, task.order)
    Task.objects.filter(pk=task.pk).update(priority=value, rank=rank)
    if value > task.priority:
        rewind_cursors(task.project_id, rank)
    w.event(
        task.project.public_id,
        "task.priority",
        task.public_id,
        task=task.public_id,
        data={"before": task.priority, "after": value},
    )
    return ""


def set_tags(w: Writing, task: Task, *, add: str = "", take: str = "") -> str:
    """Add or take one tag of the task's item."""
    tags: list[Any] = list(task.item.tags)
    after = sorted({*tags, add} - {""}) if add else [t for t in tags if t != take]
    if after == tags:
        return "same"
    if len(after) > 50:
        return "too_many_tags"
    Item.objects.filter(pk=task.item_id).update(tags=after)
    # the tag itself is content of the project, so the event holds only that tags changed
    w.event(
        task.project.public_id,
        "item.tagged" if add else "item.untagged",
        task.item.public_id,
        task=task.public_id,
    )
    return ""
