"""Reads: the lists of disputes and checks, cursor-paged. A reader who is no lead sees no task of the own."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from annotator.core.errors import Invalid
from annotator.core.times import iso
from annotator.models import HOLDING, Assignment, CandidateDocument, Member, Project, Task
from review.models import Difference, Dispute
from review.queries.waiting import without_part

Rows = list[dict[str, Any]]


def _numbers(cursor: list[Any] | None, kinds: tuple[type, ...]) -> tuple[Any, ...] | None:
    if cursor is None:
        return None
    if len(cursor) != len(kinds) or any(
        type(value) is not kind for value, kind in zip(cursor, kinds, strict=True)
    ):
        raise Invalid("bad_cursor", "This cursor was not made by this list.", field="cursor")
    return tuple(cursor)


def _own_excluded(tasks: Any, member: Member) -> Any:
    return tasks if "lead" in member.roles else without_part(tasks, member.account.person_id)


def _seats(stage: str) -> Exists:
    found = Assignment.objects.filter(
        task=OuterRef("task"), round=OuterRef("round"), stage=stage, state__in=HOLDING
    )
    return Exists(found)


def dispute_rows(project: Project, member: Member, cursor: list[Any] | None, limit: int) -> tuple[Rows, bool]:
    """Open disputes, the worst class first, then many differences first. (rows, whether there are more)"""
    tasks = _own_excluded(Task.objects.filter(project=project, state="disputed"), member)
    found = Dispute.objects.filter(project=project, state="open", task__in=tasks.values("pk"))
    found = found.annotate(taken=_seats("arbitrate")).select_related("task__item")
    after = _numbers(cursor, (str, int, int))
    if after is not None:
        worst, n, pk = after
        found = found.filter(
            Q(worst__gt=worst)
            | Q(worst=worst, n_differences__lt=n)
            | Q(worst=worst, n_differences=n, pk__gt=pk)
        )
    page = list(found.order_by("worst", "-n_differences", "pk")[: limit + 1])
    kinds: dict[int, Counter[str]] = {}
    differences = Difference.objects.filter(dispute__in=page[:limit]).values_list("dispute_id", "kind")
    for dispute_pk, kind in differences:
        kinds.setdefault(dispute_pk, Counter())[kind] += 1
    asked, keys = _asked([row.task_id for row in page[:limit]]), _shows_keys(project, member)
    rows = [
        {
            "at": [row.worst, row.n_differences, row.pk],
            "json": {
                "id": row.public_id,
                "task": row.task.public_id,
                "item": row.task.item.public_id,
                "key": row.task.item.external_key if keys else None,
                "round": row.round,
                "worst": row.worst,
                "n": row.n_differences,
                "kinds": dict(sorted(kinds.get(row.pk, Counter()).items())),
                "taken": row.taken,
                "return_asked": row.task_id in asked,
                "since": iso(row.at),
            },
        }
        for row in page[:limit]
    ]
    return rows, len(page) > limit


def _shows_keys(project: Project, member: Member) -> bool:
    """Whether the project shows items' keys to those who judge; a key can tell the answer. Leads see them."""
    workflow = project.workflow.document if project.workflow else {}
    return "lead" in member.roles or "external_key" in workflow.get("shown_fields", ())


def _asked(task_pks: list[int]) -> set[int]:
    """Tasks for which an author asked to have the own submission back."""
    rows = Assignment.objects.filter(task_id__in=task_pks, stage="label", state="submitted").exclude(
        ask_return=""
    )
    return set(rows.values_list("task_id", flat=True))


def check_rows(project: Project, member: Member, cursor: list[Any] | None, limit: int) -> tuple[Rows, bool]:
    """Tasks that wait for a check, in the queue's order."""
    tasks = _own_excluded(Task.objects.filter(project=project, state="check"), member)
    found = CandidateDocument.objects.filter(task__in=tasks.values("pk"), round=F("task__round"))
    found = found.annotate(taken=_seats("check")).select_related("task__item").defer("document", "provenance")
    after = _numbers(cursor, (int, int))
    if after is not None:
        found = found.filter(Q(task__rank__gt=after[0]) | Q(task__rank=after[0], pk__gt=after[1]))
    page = list(found.order_by("task__rank", "pk")[: limit + 1])
    asked, keys = _asked([row.task_id for row in page[:limit]]), _shows_keys(project, member)
    rows = [
        {
            "at": [row.task.rank, row.pk],
            "json": {
                "task": row.task.public_id,
                "item": row.task.item.public_id,
                "key": row.task.item.external_key if keys else None,
                "round": row.round,
                "way": row.way,
                "taken": row.taken,
                "return_asked": row.task_id in asked,
                "since": iso(row.at),
            },
        }
        for row in page[:limit]
    ]
    return rows, len(page) > limit
