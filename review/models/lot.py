"""Lots: frozen sets of accepted tasks, judged by a plan."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotator.core.ids import new_id
from annotator.models import AcceptedDocument, Project, Task


def lot_id() -> str:
    """A random public id."""
    return new_id("lt")


class Lot(models.Model):
    """states: committed (seed committed, not yet frozen), judging, accepted, not_accepted, void.

    `seed_commitment` is sha256 of the seed and is an event before the list is frozen; the draw is
    HMAC(seed, digest of the frozen list).
    """

    public_id = models.CharField(max_length=32, unique=True, default=lot_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="lots")
    name = models.CharField(max_length=200)
    plan = models.CharField(max_length=50)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default="committed")
    seed = models.CharField(max_length=64)
    seed_commitment = models.CharField(max_length=64)
    frozen_digest = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)
    n = models.PositiveIntegerField(default=0)
    ac = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    verdict_at = models.DateTimeField(null=True)


class LotMember(models.Model):
    """One accepted task of a lot; `drawn` members are judged."""

    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="members")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="lot_members")
    accepted = models.ForeignKey(AcceptedDocument, on_delete=models.PROTECT, related_name="+")
    open = models.BooleanField(default=True)  # while its lot is not decided
    drawn = models.BooleanField(default=False)
    judge = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=16, blank=True)  # right, wrong
    severity = models.CharField(max_length=1, blank=True)
    error_type = models.CharField(max_length=50, blank=True)
    note = models.CharField(max_length=500, blank=True)
    judged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "task"], name="lot_member_once"),
            models.UniqueConstraint(fields=["task"], condition=Q(open=True), name="lot_open_once"),
        ]
