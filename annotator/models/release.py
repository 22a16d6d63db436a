"""Immutable datasets."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotator.core.ids import new_id
from annotator.models.project import Project


def release_id() -> str:
    """A random public id."""
    return new_id("rl")


class Release(models.Model):
    """A snapshot of accepted documents at one event number, with manifest and report.

    The row exists from the request on (state making); files are in the blob store only once all
    are complete (state done). `files`: {name: {"sha256": …, "size": …, "audience": "all" | "lead"}}.
    """

    public_id = models.CharField(max_length=32, unique=True, default=release_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16, default="making")  # making, done, failed
    event_seq = models.BigIntegerField()
    event_digest = models.CharField(max_length=64)
    options = models.JSONField(default=dict)
    files = models.JSONField(default=dict)
    manifest_digest = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="release_number_once")]
