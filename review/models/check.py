"""What a checker answered."""

from __future__ import annotations

from django.db import models

from annotator.models import Assignment, Project, Task


class CheckOutcome(models.Model):
    """pass, mend or return of one check seat."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="check_outcomes")
    round = models.PositiveIntegerField()
    level = models.PositiveSmallIntegerField(default=1)
    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="check_outcome")
    outcome = models.CharField(max_length=8)
    error_type = models.CharField(max_length=50, blank=True)
    marks = models.JSONField(default=list)
    before_digest = models.CharField(max_length=64)
    after_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
