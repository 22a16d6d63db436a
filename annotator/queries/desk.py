"""Reads: a person's desk. Only own work and, where the role may know it, how much waits.

An annotator's desk says whether something waits, never how much: a count would move with colleagues' work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum

from annotator import access
from annotator.contributions import site
from annotator.models import Account, Assignment, Member, ParkedDraft, Project, Reservation


@dataclass
class Waiting:
    """One stage in which a person may work in a project."""

    stage: str
    seat: Assignment | None = None  # held: go on with it
    n: int | None = None  # what waits, where the role may know it
    returned: int = 0
    anything: bool = False
    reason: dict[str, Any] | None = None


@dataclass
class DeskProject:
    """One project on the desk."""

    project: Project
    member: Member
    stages: list[Waiting] = field(default_factory=list)
    submitted_today: int = 0
    submitted: int = 0
    active_ms_today: int = 0


def memberships(account: Account) -> list[Member]:
    """Own active memberships, newest project first."""
    found = (
        Member.objects.select_related("project__workflow", "team")
        .filter(account=account, active=True, project__deleted_at=None)
        .order_by("-project_id")
    )
    members = list(found)
    for member in members:
        member.account = account
    return members


def stages_of(member: Member) -> list[str]:
    """The stages that the member's roles may work in."""
    account = member.account
    stages = ["label"] if access.may(account, "claim.label", member) else []
    for stage, policy in sorted(site.claim_policies.items()):
        if access.may(account, policy.action, member):
            stages.append(stage)
    return stages


def held_seats(account: Account, now: datetime) -> list[Assignment]:
    """Own seats that can be gone on with, oldest first."""
    return list(
        Assignment.objects.select_related("project")
        .filter(person_id=account.person_id, state="live", lease_until__gt=now, project__deleted_at=None)
        .order_by("claimed_at")
    )


def own_counts(account: Account, now: datetime) -> dict[int, dict[str, int]]:
    """{project row: tasks submitted, today, active ms of today}; a day is the last 24 hours.

    Tasks, not seats: an annotation that stands in a new round because a colleague's was returned is a second seat.
    """
    mine = Assignment.objects.filter(
        person_id=account.person_id, state__in=("submitted", "returned"), submitted_at__isnull=False
    )
    counts: dict[int, dict[str, int]] = {}
    for row in mine.values("project").annotate(n=Count("task", distinct=True)):
        counts[row["project"]] = {"submitted": row["n"], "today": 0, "active_ms": 0}
    since = now - timedelta(hours=24)
    for row in (
        mine.filter(submitted_at__gte=since)
        .values("project")
        .annotate(n=Count("task", distinct=True), ms=Sum("active_ms"))
    ):
        counts[row["project"]].update(today=row["n"], active_ms=row["ms"] or 0)
    return counts


def returned_to(account: Account, now: datetime) -> dict[int, int]:
    """{project row: tasks that were returned to this person and are kept for it}."""
    rows = Reservation.objects.filter(
        person_id=account.person_id, until__gt=now, task__state__in=("returned", "labelling")
    )
    return dict(rows.values_list("task__project").annotate(n=Count("pk")))


def own_drafts(account: Account) -> QuerySet[ParkedDraft]:
    """Own parked drafts in projects that the account is in; of others they are kept but not shown."""
    projects = Member.objects.filter(account=account, active=True, project__deleted_at=None)
    return ParkedDraft.objects.select_related("assignment__project").filter(
        account=account, assignment__project__in=projects.values("project")
    )


def parked_drafts(account: Account) -> list[ParkedDraft]:
    """Own work that came after its seat was lost; kept, newest first."""
    return list(own_drafts(account).order_by("-id")[:20])


def own_feedback(account: Account) -> list[dict[str, Any]]:
    """Marks on own returned work: what to look at again, newest first."""
    rows = (
        Assignment.objects.select_related("project")
        .filter(person_id=account.person_id, stage="label", project__deleted_at=None)
        .exclude(marks=[])
        .order_by("-id")[:5]
    )
    return [{"project": row.project, "seat": row, "marks": row.marks} for row in rows]
