"""Revisions of annotations, checkpoints, raster parts, parked drafts, accepted documents."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotator.core.ids import new_id
from annotator.models.project import SchemaVersion
from annotator.models.task import Assignment, Task


def parked_id() -> str:
    """A random public id."""
    return new_id("pd")


def accepted_id() -> str:
    """A random public id."""
    return new_id("ac")


class Revision(models.Model):
    """One acknowledged save: changes in the change grammar. Append-only.

    The annotation of an assignment is its start document (empty, or what it was handed) with the
    changes of revisions 1..k applied. `digest` is of the whole document after this revision.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    changes = models.JSONField()
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)  # save, submit, migrate
    schema = models.ForeignKey(SchemaVersion, on_delete=models.PROTECT, related_name="+")
    guideline = models.PositiveIntegerField(default=0)
    active_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "number"], name="revision_once")]


class Checkpoint(models.Model):
    """The whole document at a revision: number 0 is the start, then each 50 and each submission."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="checkpoints")
    number = models.PositiveIntegerField()
    document = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "number"], name="checkpoint_once")]


class Part(models.Model):
    """That an assignment wrote or was handed a raster part; only through this row may it be read."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="parts")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "digest"], name="part_once")]
        indexes = [models.Index(fields=["digest"])]


class ParkedDraft(models.Model):
    """Changes that came after the seat was lost: kept for their author, never applied by the server."""

    public_id = models.CharField(max_length=32, unique=True, default=parked_id)
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="parked_drafts")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    if_revision = models.PositiveIntegerField()
    changes = models.JSONField()
    parts = models.JSONField(default=dict)  # digest -> base64
    digest = models.CharField(max_length=64)  # of the changes: the same draft is kept once
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "digest"], name="parked_once")]


class CandidateDocument(models.Model):
    """What a round of a task came to and waits to be checked; becomes the accepted document, or not.

    way and provenance as in `AcceptedDocument`.
    """

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="candidates")
    round = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    way = models.CharField(max_length=16)
    provenance = models.JSONField(default=dict)
    schema = models.ForeignKey(SchemaVersion, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "round"], name="candidate_once_a_round")]


class AcceptedDocument(models.Model):
    """What the project stands behind for a task. A later mend is a new row; the old stays.

    way: single (one person, no compare), agreed, decided (arbiter), checked, mended.
    provenance: {"assignments": […], "by_region": {region id: [assignment ids]}, "dispute": …}
    """

    public_id = models.CharField(max_length=32, unique=True, default=accepted_id)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="accepted_documents")
    number = models.PositiveIntegerField()
    round = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    way = models.CharField(max_length=16)
    provenance = models.JSONField(default=dict)
    schema = models.ForeignKey(SchemaVersion, on_delete=models.PROTECT, related_name="+")
    event_seq = models.BigIntegerField()  # of the project's chain
    at = models.DateTimeField()
    current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="accepted_number_once"),
            models.UniqueConstraint(
                fields=["task"], condition=models.Q(current=True), name="accepted_current_once"
            ),
        ]
