"""Agreement values, the differences of a task, and what an arbiter decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotator.core.ids import new_id
from annotator.models import Assignment, Project, Task


def dispute_id() -> str:
    """A random public id."""
    return new_id("d")


def difference_id() -> str:
    """A random public id."""
    return new_id("df")


class Agreement(models.Model):
    """A measured value of one pair of annotations; never recomputed in place.

    value is None when undefined, with the reason in `undefined`. exposure: what each side saw of
    the prelabels, in the order of the sides.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="agreements")
    round = models.PositiveIntegerField()
    measure = models.CharField(max_length=50)  # f1_iou.v1
    params = models.JSONField(default=dict)
    a = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="+")
    b = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="+")
    exposure = models.JSONField(default=list)
    value = models.FloatField(null=True)
    undefined = models.CharField(max_length=100, blank=True)
    n = models.PositiveIntegerField(default=0)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "round", "measure", "a", "b"], name="agreement_once")
        ]


class Dispute(models.Model):
    """The differences of one round of one task that wait for an arbiter.

    sides: [{"key": "A", "assignment": public id, "digest": document digest}, …] in the random
    order that the arbiter sees; `agreed` is the rest that stands.
    """

    public_id = models.CharField(max_length=32, unique=True, default=dispute_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="disputes")
    round = models.PositiveIntegerField()
    state = models.CharField(max_length=16, default="open")  # open, decided, returned
    sides = models.JSONField()
    agreed = models.JSONField()
    by_region = models.JSONField(default=dict)
    n_differences = models.PositiveIntegerField(default=0)
    worst = models.CharField(max_length=1, default="C")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "round"], name="dispute_once_a_round")]
        indexes = [models.Index(fields=["project", "state", "worst"], name="dispute_open")]


class Difference(models.Model):
    """One open question between annotations."""

    public_id = models.CharField(max_length=32, unique=True, default=difference_id)
    dispute = models.ForeignKey(Dispute, on_delete=models.CASCADE, related_name="differences")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    severity = models.CharField(max_length=1)  # class A, B or C
    label = models.CharField(max_length=200, blank=True)
    data = models.JSONField()  # regions by side, field, values by side
    choice = models.CharField(max_length=16, blank=True)
    result = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dispute", "position"], name="difference_position_once")
        ]
        ordering = ["position"]


class Verdict(models.Model):
    """An arbiter's decision on all differences of a dispute; never edited."""

    dispute = models.OneToOneField(Dispute, on_delete=models.CASCADE, related_name="verdict")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="+")
    arbiter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decisions = models.JSONField()
    reason_code = models.CharField(max_length=50, blank=True)
    digest = models.CharField(max_length=64)  # of the document that came out
    active_ms = models.BigIntegerField(default=0)
    at = models.DateTimeField()
