"""Assets (files and texts by digest), items (samples), batches, and machine prelabels."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotator.core.ids import new_id
from annotator.models.project import Project, Team


def asset_id() -> str:
    """A random public id."""
    return new_id("a")


def item_id() -> str:
    """A random public id."""
    return new_id("i")


def batch_id() -> str:
    """A random public id."""
    return new_id("b")


def upload_id() -> str:
    """A random public id."""
    return new_id("up")


def prelabel_id() -> str:
    """A random public id."""
    return new_id("pl")


class Upload(models.Model):
    """A resumable upload: bytes arrive at `offset` until `size`, then it becomes an asset."""

    public_id = models.CharField(max_length=32, unique=True, default=upload_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=400)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    offset = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)


class Asset(models.Model):
    """One file (in the blob store) or one short text (in `text`), known by its digest.

    state: checking (header not yet read), ready, refused (with `reason`).
    """

    public_id = models.CharField(max_length=32, unique=True, default=asset_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assets")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=400, blank=True)
    kind = models.CharField(max_length=16)  # image, text
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    text = models.TextField(null=True)
    state = models.CharField(max_length=16, default="checking")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "sha256"], name="asset_digest_once")]
        indexes = [models.Index(fields=["project", "name"])]


class Batch(models.Model):
    """A work package: items for one or more teams, with priority and pause. Never a lot."""

    public_id = models.CharField(max_length=32, unique=True, default=batch_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="batches")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, default="normal")  # normal, pilot
    priority = models.IntegerField(default=0)
    deadline = models.DateTimeField(null=True)
    paused = models.BooleanField(default=False)
    teams = models.ManyToManyField(Team, blank=True, related_name="batches")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="batch_name_once")]


class Item(models.Model):
    """One sample. Its content never changes: a corrected file is a new item."""

    public_id = models.CharField(max_length=32, unique=True, default=item_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="items")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items")
    external_key = models.CharField(max_length=200)
    group = models.CharField(max_length=200, blank=True)
    metadata = models.JSONField(default=dict)
    tags = models.JSONField(default=list)
    source = models.JSONField(default=dict)  # provider, licence, consent
    origin = models.JSONField(default=dict)  # {"kind": "real"} or {"kind": "synthetic", "generator": …}
    holdout = models.BooleanField(default=False)
    use = models.CharField(max_length=16, default="normal")  # normal, gold, pilot, withdrawn
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "external_key"], name="item_key_once")]
        indexes = [models.Index(fields=["project", "group"])]


class ItemAsset(models.Model):
    """Which assets an item has, in which role and order."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="item_assets")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="item_assets")
    role = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "position"], name="item_asset_position_once")]
        ordering = ["position"]


class PrelabelSet(models.Model):
    """One run of one source over items: a rule version, a model version or an upload."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="prelabel_sets")
    source = models.CharField(max_length=200)  # rule:blob.v1, model:boxes, upload:name
    version = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()


class Prelabel(models.Model):
    """A machine's proposal for one item; beside the annotation, never part of it.

    regions: {id: Region}; answers: {control: value}; score in 0..1 or None.
    """

    public_id = models.CharField(max_length=32, unique=True, default=prelabel_id)
    set = models.ForeignKey(PrelabelSet, on_delete=models.CASCADE, related_name="prelabels")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="prelabels")
    regions = models.JSONField(default=dict)
    answers = models.JSONField(default=dict)
    score = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["set", "item"], name="prelabel_once_a_set")]
