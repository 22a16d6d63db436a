"""Tables of the wing that drafts: rules as configured in a project, and trained models."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotator.core.ids import new_id
from annotator.models import Job, PrelabelSet, Project


def rule_id() -> str:
    """A random public id."""
    return new_id("ru")


def model_id() -> str:
    """A random public id."""
    return new_id("m")


class RuleVersion(models.Model):
    """A rule of the registry with its parameters, immutable; a change is a new number."""

    public_id = models.CharField(max_length=32, unique=True, default=rule_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rules")
    rule = models.CharField(max_length=50)  # blob.v1
    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    params = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name", "number"], name="rule_number_once")]


class ModelVersion(models.Model):
    """A trained model: its file in the blob store, what it was trained on, its holdout score with n.

    state: training, ready, worse (kept, not used), failed.
    """

    public_id = models.CharField(max_length=32, unique=True, default=model_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="models")
    kind = models.CharField(max_length=50)  # boxes, masks, text_class
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, default="training")
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    metrics = models.JSONField(default=dict)
    params = models.JSONField(default=dict)
    trained_on = models.JSONField(default=dict)  # {"event_seq", "items": n, "digest"}
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "number"], name="model_number_once")
        ]


class TrainingItem(models.Model):
    """An item (and group) that a model learned from: the model never drafts it."""

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="training_items")
    item = models.ForeignKey("annotator.Item", on_delete=models.CASCADE, related_name="+")
    group = models.CharField(max_length=200, blank=True)
    holdout = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "item"], name="training_item_once")]


class RuleRun(models.Model):
    """One run of a rule or a model over items, by a job."""

    rule = models.ForeignKey(RuleVersion, null=True, on_delete=models.CASCADE, related_name="runs")
    model = models.ForeignKey(ModelVersion, null=True, on_delete=models.CASCADE, related_name="runs")
    set = models.OneToOneField(PrelabelSet, on_delete=models.CASCADE, related_name="run")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    n_items = models.PositiveIntegerField(default=0)
    n_regions = models.PositiveIntegerField(default=0)
    n_dropped = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
