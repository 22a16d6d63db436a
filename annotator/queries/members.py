"""Reads: a project's members, teams and open invitations."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from annotator.core.times import iso
from annotator.models import Invitation, Member, Project, Team


def members_of(project: Project) -> list[Member]:
    """Active members in the order in which they joined."""
    return list(
        Member.objects.select_related("account", "team").filter(project=project, active=True).order_by("pk")
    )


def teams_of(project: Project) -> list[str]:
    """Names of the teams."""
    return list(Team.objects.filter(project=project).order_by("name").values_list("name", flat=True))


def open_invitations(project: Project) -> list[dict[str, Any]]:
    """Links that still work; the links themselves are nowhere."""
    rows = (
        Invitation.objects.select_related("made_by")
        .filter(project=project, used_at=None, expires_at__gt=timezone.now())
        .order_by("-pk")
    )
    return [
        {
            "id": row.pk,
            "roles": row.roles,
            "made_by": row.made_by.public_id,
            "expires_at": iso(row.expires_at),
        }
        for row in rows
    ]
