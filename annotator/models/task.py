"""Tasks, seats, leases and what decides who gets which task next."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotator.core.ids import new_id
from annotator.models.item import Batch, Item
from annotator.models.project import Project, SchemaVersion, WorkflowVersion


def task_id() -> str:
    """A random public id."""
    return new_id("t")


def assignment_id() -> str:
    """A random public id."""
    return new_id("as")


STATES = (
    "ready",  # labelling may start; free slots
    "labelling",  # somebody holds or has submitted a slot
    "compare",  # all slots in, grace over, differences being found
    "disputed",  # differences wait for an arbiter
    "check",  # waits for a checker
    "returned",  # waits for the same person's rework
    "accepted",
    "set_aside",
)
OPEN_STATES = ("ready", "labelling", "returned")
LIVE = ("live", "ahead")  # assignment states that hold a seat without having answered
HOLDING = ("live", "ahead", "submitted")  # assignment states that occupy a seat


class Task(models.Model):
    """The work on one item under one workflow version, in rounds.

    `rank` orders the queue (small first): priority and import order in one number, so that the
    next task is one index range. `n_taken` counts label seats of this round that are held or
    submitted; a slot is free while n_taken < n_slots. `claimable` is exactly that together with
    the state and pauses, kept by the steps, so that the claim reads one narrow index.
    """

    public_id = models.CharField(max_length=32, unique=True, default=task_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tasks")
    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="task")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="tasks")
    workflow = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="+")
    schema = models.ForeignKey(SchemaVersion, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, default="ready")
    state_before = models.CharField(max_length=16, blank=True)  # where `restore` leads from set_aside
    round = models.PositiveIntegerField(default=1)
    n_slots = models.PositiveSmallIntegerField(default=1)
    n_taken = models.PositiveSmallIntegerField(default=0)
    n_submitted = models.PositiveSmallIntegerField(default=0)
    claimable = models.BooleanField(default=True)
    priority = models.IntegerField(default=0)
    order = models.BigIntegerField()
    rank = models.BigIntegerField()
    score = models.FloatField(null=True)  # of the newest prelabel
    arm = models.CharField(max_length=8, default="shown")  # shown, none, mixed
    seed = models.CharField(max_length=64)
    pinned = models.JSONField(default=list)  # public ids of the prelabels of this round
    pinned_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # when the grace of the last seat is over
    stuck = models.CharField(max_length=200, blank=True)
    check_level = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)  # set aside because
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "order"], name="task_order_once"),
            models.CheckConstraint(condition=Q(n_taken__lte=models.F("n_slots")), name="task_slots_not_over"),
            models.CheckConstraint(
                condition=Q(n_submitted__lte=models.F("n_taken")), name="task_submitted_not_over"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "claimable", "rank"], name="task_queue"),
            models.Index(fields=["project", "state", "order"], name="task_state_order"),
            models.Index(fields=["project", "score", "order"], name="task_score"),
            models.Index(fields=["state", "due_at"], name="task_due"),
        ]


class Assignment(models.Model):
    """One person in one seat of one stage of one round, with a lease and a token.

    state: ahead (prefetched, not started), live, submitted, released (skipped or given back),
    lost (lease ran out and the seat was taken or freed), returned (its round was returned).
    `holder` is the person (first account) behind `account`.
    """

    public_id = models.CharField(max_length=32, unique=True, default=assignment_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="assignments")
    stage = models.CharField(max_length=16)  # label, check, arbitrate, lot
    round = models.PositiveIntegerField()
    slot = models.PositiveSmallIntegerField(default=0)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, default="live")
    token = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    parked = models.BooleanField(default=False)
    shown = models.CharField(max_length=16, default="none")  # prelabels: none, shown, bulk_kept
    exposed = models.BooleanField(default=False)
    schema = models.ForeignKey(SchemaVersion, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64)
    active_ms = models.BigIntegerField(default=0)
    claimed_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    saved_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    marks = models.JSONField(default=list)  # what the checker or arbiter marked when returning
    ask_return = models.CharField(max_length=300, blank=True)
    base = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+"
    )  # of the round before

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "round", "stage", "slot"],
                condition=Q(state__in=["live", "ahead", "submitted"]),
                name="seat_held_once",
            ),
            models.UniqueConstraint(
                fields=["task", "round", "stage", "person"],
                condition=~Q(state="released"),
                name="person_once_a_stage",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "task"], name="assignment_person_task"),
            models.Index(fields=["account", "state"], name="assignment_account_state"),
            models.Index(fields=["state", "lease_until"], name="assignment_lease"),
        ]


class Reservation(models.Model):
    """A seat of a returned task kept for the person who had it, until `until`."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="reservations")
    round = models.PositiveIntegerField()
    slot = models.PositiveSmallIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()
    base = models.ForeignKey(Assignment, null=True, on_delete=models.SET_NULL, related_name="+")
    marks = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "round", "slot"], name="reservation_once")]


class Exposure(models.Model):
    """A person who saw a colleague's work or an accepted document of the item before labelling it."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="exposures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=50)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "person"], name="exposure_once")]


class ClaimCursor(models.Model):
    """How far one person has come in a project's queue; rewound when something before it opens."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    rank = models.BigIntegerField(default=-(2**62))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "person"], name="claim_cursor_once")]


class Skip(models.Model):
    """ "Not me, not now": counted a day; the person is not offered the task again in this round."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="skips")
    round = models.PositiveIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "round", "person"], name="skip_once_a_round")]
