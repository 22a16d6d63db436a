"""Reads: which disputes and checks wait, and for whom. One rule of parts for claims and lists alike.

Who had a labelling or deciding part in a task may neither arbitrate nor check it; who only returned it may
look again. A person with two accounts is one person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotator.core.times import iso
from annotator.core.workflow import DEFAULTS
from annotator.models import HOLDING, LIVE, Account, Assignment, CandidateDocument, Member, Project, Task
from review.models import CheckOutcome, Dispute, LotMember, Verdict

ANYBODY = ("expert", "checker")


def roles_of(project: Project, account: Account) -> set[str]:
    """The account's roles in the project; empty for nobody."""
    roles = (
        Member.objects.filter(project=project, account=account, active=True)
        .values_list("roles", flat=True)
        .first()
    )
    return set(roles or ())


def _labelled(person_id: int) -> Exists:
    seats = Assignment.objects.filter(task=OuterRef("pk"), person_id=person_id, stage="label")
    return Exists(seats.exclude(state="released"))


def _decided(person_id: int) -> Exists:
    return Exists(Verdict.objects.filter(dispute__task=OuterRef("pk"), assignment__person_id=person_id))


def _passed(person_id: int) -> Exists:
    outcomes = CheckOutcome.objects.filter(task=OuterRef("pk"), assignment__person_id=person_id)
    return Exists(outcomes.exclude(outcome="return"))


def _judged(person_id: int) -> Exists:
    return Exists(
        LotMember.objects.filter(task=OuterRef("pk"), judge__isnull=False).filter(judge_id=person_id)
    )


def without_part(tasks: QuerySet[Task], person_id: int) -> QuerySet[Task]:
    """Tasks in which the person has neither labelled, decided, passed nor judged."""
    return tasks.filter(~_labelled(person_id), ~_decided(person_id), ~_passed(person_id), ~_judged(person_id))


def _stage(tasks: QuerySet[Task], stage: str, person_id: int) -> QuerySet[Task]:
    """With two marks: somebody is at it; this person gave it back in this round."""
    seats = Assignment.objects.filter(task=OuterRef("pk"), round=OuterRef("round"), stage=stage)
    return tasks.annotate(
        taken=Exists(seats.filter(state__in=HOLDING)),
        given_back=Exists(seats.filter(state="released", person_id=person_id)),
    )


def open_disputes(project: Project, account: Account) -> QuerySet[Dispute]:
    """Disputes that this person may decide, the worst first, what the person gave back last."""
    person = account.person_id
    tasks = _stage(
        without_part(Task.objects.filter(project=project, state="disputed"), person), "arbitrate", person
    )
    found = (
        Dispute.objects.filter(project=project, state="open", task__in=tasks.values("pk"))
        .annotate(
            taken=Exists(
                Assignment.objects.filter(
                    task=OuterRef("task"), round=OuterRef("round"), stage="arbitrate", state__in=HOLDING
                )
            ),
            given_back=Exists(
                Assignment.objects.filter(
                    task=OuterRef("task"),
                    round=OuterRef("round"),
                    stage="arbitrate",
                    state="released",
                    person_id=person,
                )
            ),
        )
        .select_related("task__item", "task__workflow", "task__project", "task__schema")
    )
    if "expert" not in roles_of(project, account):
        # A checker settles B and C only where the workflow sends them to checkers.
        compare = (project.workflow.document if project.workflow else {}).get("compare") or DEFAULTS[
            "compare"
        ]
        if compare.get("class_bc_to") != "checker":
            return found.none()
        found = found.exclude(worst="A")
    return found.order_by("given_back", "worst", "-n_differences", "task__rank")


def open_checks(project: Project, account: Account) -> QuerySet[Task]:
    """Tasks that this person may check, in the queue's order, what the person gave back last."""
    person = account.person_id
    tasks = without_part(Task.objects.filter(project=project, state="check"), person)
    found = _stage(tasks, "check", person).select_related("item", "workflow", "project", "schema")
    return found.order_by("given_back", "rank")


def candidate_of(task: Task) -> CandidateDocument:
    """The document under check."""
    return CandidateDocument.objects.select_related("schema").get(task=task, round=task.round)


def why_nothing(
    project: Project, stage: str, some_taken: bool, now: datetime | None = None
) -> dict[str, Any]:
    """The reason of an empty answer. It counts nothing that this person may not decide, so that it tells
    nothing of tasks of the own."""
    if some_taken:
        until = (
            Assignment.objects.filter(
                project=project, stage=stage, state__in=LIVE, lease_until__gt=now or timezone.now()
            )
            .order_by("lease_until")
            .values_list("lease_until", flat=True)
            .first()
        )
        return {"code": "all_leased", "message": "All that is left is being worked on.", "until": iso(until)}
    return {"code": "nothing_left", "message": "Nothing waits for you here."}
