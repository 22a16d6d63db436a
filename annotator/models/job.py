"""Long work as a row: the row is the truth, the doorbell only wakes a worker."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotator.core.ids import new_id


def job_id() -> str:
    """A random public id."""
    return new_id("j")


class Job(models.Model):
    """One piece of long work in a lane (io or model).

    state: queued, running, done, failed, cancelled. A running job has a lease and a fencing token;
    each write of the handler carries the token, so that a stale worker changes nothing.
    """

    public_id = models.CharField(max_length=32, unique=True, default=job_id)
    project = models.ForeignKey("annotator.Project", null=True, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=50)
    lane = models.CharField(max_length=8)
    payload = models.JSONField(default=dict)
    payload_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=16, default="queued")
    attempts = models.PositiveSmallIntegerField(default=0)
    token = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    cancel_asked = models.BooleanField(default=False)
    progress = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    message = models.CharField(max_length=500, blank=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "payload_digest"],
                condition=Q(state__in=["queued", "running"]),
                name="job_unfinished_once",
            )
        ]
        indexes = [models.Index(fields=["lane", "state", "id"], name="job_lane")]
