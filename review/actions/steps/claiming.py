"""Claim policies of the stages that this wing owns: which task an arbiter or a checker gets, and what the
seat shows.

Called by annotator's claim inside its transaction; nothing here opens one.
"""

from __future__ import annotations

from typing import Any

from annotator.actions.verb import Writing
from annotator.contributions import ClaimPolicy
from annotator.core.document import part_digests
from annotator.models import Account, Assignment, Project, Task
from review.actions.steps.answers import ERROR_TYPES
from review.core.consensus import distinct_ids
from review.models import Dispute
from review.queries.sides import side_documents, side_parts, without_origin
from review.queries.waiting import candidate_of, open_checks, open_disputes, why_nothing


def dispute_of(task: Task) -> Dispute:
    """The open dispute of the task's round."""
    return Dispute.objects.get(task=task, round=task.round)


def claim_dispute(w: Writing, project: Project, account: Account) -> Task | None:
    found = open_disputes(project, account).filter(taken=False).first()
    return None if found is None else found.task


def waiting_disputes(project: Project, account: Account) -> int:
    return open_disputes(project, account).filter(taken=False).count()


def dispute_start(w: Writing, task: Task, account: Account) -> dict[str, Any]:
    """The seat's document: the agreed rest. How regions were made is hidden until the verdict."""
    return without_origin(dispute_of(task).agreed)


def dispute_parts(task: Task) -> set[str]:
    return side_parts(dispute_of(task))


def dispute_extend(seat: Assignment, work: dict[str, Any]) -> dict[str, Any]:
    """Sides as A, B, C, the open questions and the agreed rest."""
    dispute = Dispute.objects.get(task_id=seat.task_id, round=seat.round)
    sides = distinct_ids(side_documents(dispute))
    return {
        "dispute": {"id": dispute.public_id},
        "sides": [{"key": key, "document": without_origin(sides[key])} for key in sorted(sides)],
        "differences": [difference_json(row) for row in dispute.differences.all()],
        "agreed": without_origin(dispute.agreed),
    }


def difference_json(row: Any) -> dict[str, Any]:
    """A difference as the arbiter sees it; what the server needs to apply it stays here."""
    shown = {
        name: row.data[name]
        for name in ("kind", "class", "label", "regions", "field", "values")
        if name in row.data
    }
    return {"id": row.public_id, **shown}


def dispute_empty(project: Project, account: Account) -> dict[str, Any]:
    return why_nothing(project, "arbitrate", open_disputes(project, account).exists())


def claim_check(w: Writing, project: Project, account: Account) -> Task | None:
    return open_checks(project, account).filter(taken=False).first()


def waiting_checks(project: Project, account: Account) -> int:
    return open_checks(project, account).filter(taken=False).count()


def check_start(w: Writing, task: Task, account: Account) -> dict[str, Any]:
    return without_origin(candidate_of(task).document)


def check_parts(task: Task) -> set[str]:
    return part_digests(candidate_of(task).document)


def check_extend(seat: Assignment, work: dict[str, Any]) -> dict[str, Any]:
    return {"check": {"error_types": list(ERROR_TYPES)}}


def check_empty(project: Project, account: Account) -> dict[str, Any]:
    return why_nothing(project, "check", open_checks(project, account).exists())


def policies() -> list[ClaimPolicy]:
    return [
        ClaimPolicy(
            "arbitrate",
            "claim.arbitrate",
            claim_dispute,
            dispute_start,
            dispute_extend,
            dispute_empty,
            waiting_disputes,
            parts=dispute_parts,
        ),
        ClaimPolicy(
            "check",
            "claim.check",
            claim_check,
            check_start,
            check_extend,
            check_empty,
            waiting_checks,
            parts=check_parts,
        ),
    ]
