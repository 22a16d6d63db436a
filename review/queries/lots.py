"""Reads: which accepted tasks may form a lot, a lot's record, the next member for a judge, gate and
freeze."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from annotator.core.times import iso
from annotator.models import AcceptedDocument, Account, Project, Task
from review.core.sampling import fixed_fraction
from review.core.values import Undefined
from review.models import Lot, LotMember
from review.queries.waiting import without_part

DECIDING = ("A", "B")
"""Classes whose wrong items count against the acceptance number. C is counted and shown, it decides
nothing; one item of class A alone refuses the lot."""


def eligible(
    project: Project, *, schema: str | None = None, way: str | None = None
) -> QuerySet[AcceptedDocument]:
    """Current accepted documents that no open lot holds and no accepted lot has judged already. Gold,
    pilots and withdrawn items are no members."""
    held = LotMember.objects.filter(accepted=OuterRef("pk"), open=True)
    passed = LotMember.objects.filter(accepted=OuterRef("pk"), lot__state="accepted")
    found = AcceptedDocument.objects.filter(
        ~Exists(held),
        ~Exists(passed),
        current=True,
        task__project=project,
        task__state="accepted",
        task__item__use="normal",
    ).exclude(task__batch__kind="pilot")
    if schema is not None:
        found = found.filter(schema__public_id=schema)
    if way is not None:
        found = found.filter(way=way)
    return found


def strata(project: Project) -> list[dict[str, Any]]:
    """How many accepted tasks could form a lot, by what a lot must have in common."""
    rows = (
        eligible(project)
        .values("schema__public_id", "schema__number", "way")
        .annotate(n=Count("pk"))
        .order_by("schema__number", "way")
    )
    return [
        {
            "schema": row["schema__public_id"],
            "version": row["schema__number"],
            "way": row["way"],
            "n": row["n"],
        }
        for row in rows
    ]


def plan_of(lot: Lot) -> fixed_fraction.Plan:
    """The plan of a frozen lot."""
    return fixed_fraction.plan(lot.size, str(lot.params["share"]), str(lot.params["quality"]))


def lot_json(lot: Lot) -> dict[str, Any]:
    """The lot's record for a lead. The seed is shown once the lot is decided, so that anybody can draw
    again."""
    drawn = list(lot.members.filter(drawn=True).values_list("verdict", "severity"))
    judged = [entry for entry in drawn if entry[0]]
    classes = Counter(severity for verdict, severity in judged if verdict == "wrong")
    body: dict[str, Any] = {
        "id": lot.public_id,
        "name": lot.name,
        "state": lot.state,
        "plan": lot.plan,
        "params": lot.params,
        "commitment": lot.seed_commitment,
        "seed": lot.seed if lot.state in ("accepted", "not_accepted", "void") else None,
        "frozen_digest": lot.frozen_digest or None,
        "size": lot.size,
        "n": lot.n,
        "acceptance_number": lot.ac,
        "judged": len(judged),
        "wrong": {name: classes.get(name, 0) for name in ("A", "B", "C")},
        "found": lot.found,
        "reason": lot.reason,
        "at": iso(lot.at),
        "verdict_at": iso(lot.verdict_at),
    }
    if lot.size:
        body["buys"] = fixed_fraction.what_it_buys(plan_of(lot))
        body["interval"] = interval_of(lot, classes, len(judged))
    return body


def interval_of(lot: Lot, classes: Counter[str], n_judged: int) -> dict[str, Any]:
    """Share of wrong items (A and B) in the lot, exact for the finite lot; only once all drawn are judged."""
    from review.core.intervals import finite_lot_interval

    if n_judged < lot.n:
        return {"undefined": "not_all_judged", "n": n_judged}
    found = finite_lot_interval(sum(classes[name] for name in DECIDING), lot.n, lot.size)
    return {"undefined": found.reason, "n": found.n} if isinstance(found, Undefined) else found.as_json()


def for_judge(lot: Lot, account: Account) -> QuerySet[LotMember]:
    """Drawn members that nobody has judged and in which this person has no part."""
    tasks = without_part(Task.objects.filter(project_id=lot.project_id), account.person_id)
    members = lot.members.filter(drawn=True, verdict="", task__in=tasks.values("pk"))
    return members.select_related("task__item", "accepted__schema").order_by("pk")


def frozen(task: Task) -> str | None:
    """Why the task may not be changed now; None when it may."""
    lot = LotMember.objects.filter(task=task, open=True).values_list("lot__name", flat=True).first()
    if lot is None:
        return None
    return "This task is a member of an open lot. It can be changed after the lot's verdict."


def gate(snapshot: Any) -> list[str]:
    """Why a release is held: where the project uses lots, every document in it was judged in an accepted
    lot."""
    project: Project = snapshot.project
    workflow = project.workflow.document if project.workflow else {}
    if not workflow.get("use_lots"):
        return []
    passed = set(
        LotMember.objects.filter(lot__project=project, lot__state="accepted").values_list(
            "accepted_id", flat=True
        )
    )
    left = sum(pk not in passed for pk in snapshot.accepted)
    return [f"{left} accepted tasks lie in no accepted lot."] if left else []
