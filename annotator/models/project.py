"""A project, its members and teams, and the versions of its schema and workflow."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotator.core.ids import new_id


def project_id() -> str:
    """A random public id."""
    return new_id("p")


def schema_id() -> str:
    """A random public id."""
    return new_id("s")


ROLES = ("lead", "expert", "checker", "annotator", "importer", "viewer")


class Project(models.Model):
    """The wall between programmes: nobody outside it learns even that it exists."""

    public_id = models.CharField(max_length=32, unique=True, default=project_id)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    paused = models.BooleanField(default=False)
    # Committed before any lot or pick exists; agreed regions, arms and draws derive from it.
    seed = models.CharField(max_length=64)
    schema = models.ForeignKey("SchemaVersion", null=True, on_delete=models.PROTECT, related_name="+")
    workflow = models.ForeignKey("WorkflowVersion", null=True, on_delete=models.PROTECT, related_name="+")
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title


class Team(models.Model):
    """A named group of members; batches may be meant for some teams only."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="team_name_once")]


class Member(models.Model):
    """One account in one project with its roles."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    roles = models.JSONField(default=list)
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="members")
    active = models.BooleanField(default=True)
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "account"], name="member_once")]


class SchemaVersion(models.Model):
    """An immutable label schema. A new version carries the mapping that migrates stored labels."""

    public_id = models.CharField(max_length=32, unique=True, default=schema_id)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="schema_versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="schema_number_once")]


class WorkflowVersion(models.Model):
    """An immutable list of stages and their figures (format in docs/reference)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="workflow_versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="workflow_number_once")]
