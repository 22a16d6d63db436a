"""System verb: compare a round's annotations. Subscribes to the news that a task's labelling is over.

Reads and computes outside the transaction; then one transaction checks again that the task waits in the same
round with the same submissions, writes agreement values, dispute or accepted document and state, and moves
the cursor. Run twice it changes nothing; killed anywhere it is run again.
"""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError

from annotator import news
from annotator.actions.steps import seats as seat_steps
from annotator.actions.steps import states
from annotator.actions.verb import Writing, writing
from annotator.core.errors import ConcordError, Conflict, Unavailable
from annotator.models import Assignment, Exposure, Member, Task
from annotator.queries.documents import read_document
from review.core.agreement import MEASURES
from review.core.agreement._pair import AnnotationPair
from review.core.consensus import VERSION, Consensus, agreed_document
from review.core.rules import Rules
from review.core.values import Undefined
from review.models import Agreement, Difference, Dispute
from review.queries.sides import label_seats, part_bytes, shuffled

log = logging.getLogger("concord.review")
NAME = "compare"
VERBS = frozenset({"task.labelled", "task.restored"})
"""A task that is restored to compare waits for the same answer; elsewhere there is nothing to compare."""
AWAY = (OperationalError, InterfaceError, Unavailable)
TRIES = 3


@dataclass(frozen=True)
class Compared:
    """What one comparison came to, and what it was computed from."""

    task: Task
    sides: dict[str, Assignment]
    found: Consensus
    agreements: list[Agreement]


def handle(chain: str, events: list[Any]) -> None:
    """The subscriber's handler: one transaction an event. A task that cannot be compared is marked stuck
    with the reason and does not hold up the others."""
    for event in events:
        try:
            compare_task(chain=chain, task_id=event.object, seq=event.seq)
        except AWAY:
            raise  # the database is away, the task is well: the news is read again
        except Exception as error:
            log.exception("task %s could not be compared", event.object)
            _give_up(chain, event, error)


def compare_task(*, chain: str, task_id: str, seq: int) -> str | None:
    """The state that the task rests in afterwards; None when it no longer waits to be compared."""
    for attempt in range(TRIES):
        compared = _compute(chain, task_id)
        try:
            with writing(actor=None) as w:
                state = None if compared is None else _write(w, compared)
                news.advance(NAME, chain, seq)
                return state
        except Conflict:
            if attempt + 1 == TRIES:
                raise
    return None


def _compute(chain: str, task_id: str) -> Compared | None:
    task = (
        Task.objects.select_related("project", "workflow", "schema")
        .filter(public_id=task_id, project__public_id=chain, state="compare")
        .first()
    )
    if task is None or task.schema is None:
        return None
    by_key = shuffled(task, label_seats(task))
    documents = {key: read_document(seat) for key, seat in by_key.items()}
    workflow = task.workflow.document
    found = agreed_document(documents, task.schema.document, workflow, task.seed, parts=part_bytes)
    agreements: list[Agreement] = []
    if task.round == 1:
        # The first n slots only: people who were added later, and reworked rounds, would be optional
        # stopping.
        first = {key: seat for key, seat in by_key.items() if seat.slot < int(workflow.get("slots", 2))}
        agreements = _measure(task, first, documents, Rules.of(task.schema.document, workflow))
    return Compared(task, by_key, found, agreements)


def _measure(
    task: Task, by_key: dict[str, Assignment], documents: dict[str, Any], rules: Rules
) -> list[Agreement]:
    rows = []
    pairs = itertools.combinations(sorted(by_key.items(), key=lambda entry: entry[1].slot), 2)
    for (one, a), (other, b) in pairs:
        pair = AnnotationPair.of(documents[one], documents[other], rules, parts=part_bytes)
        for measure_id, module in MEASURES.items():
            value = module.measure(pair, parts=part_bytes)
            by_label = {
                label: module.measure(pair, label, parts=part_bytes).as_json() for label in pair.labels()
            }
            undefined = value.reason if isinstance(value, Undefined) else ""
            rows.append(
                Agreement(
                    project_id=task.project_id,
                    task=task,
                    round=task.round,
                    measure=measure_id,
                    params={"compare": dict(rules.compare)},
                    a=a,
                    b=b,
                    exposure=[_exposure(a), _exposure(b)],
                    value=None if isinstance(value, Undefined) else value.value,
                    undefined=undefined,
                    n=value.n,
                    detail={**value.as_json(), "labels": by_label},
                )
            )
    return rows


def _exposure(seat: Assignment) -> str:
    return "exposed" if seat.exposed else seat.shown


def _write(w: Writing, compared: Compared) -> str:
    task, found = compared.task, compared.found
    now = {
        pk: (digest, state)
        for pk, digest, state in Assignment.objects.filter(
            task=task, round=task.round, stage="label", state="submitted"
        ).values_list("pk", "digest", "state")
    }
    if now != {seat.pk: (seat.digest, "submitted") for seat in compared.sides.values()}:
        raise Conflict(
            "revisions_changed", "A submission changed while it was compared.", task=task.public_id
        )
    for row in compared.agreements:
        row.at = w.now
    Agreement.objects.bulk_create(compared.agreements, ignore_conflicts=True)
    if not found.differences:
        assert task.schema is not None
        provenance = {
            "assignments": sorted(seat.public_id for seat in compared.sides.values()),
            "by_region": named(found.by_region, compared.sides),
            "consensus": VERSION,
            "notes": list(found.notes),
        }
        return states.advance(
            w,
            task,
            source="compare",
            document=found.agreed,
            way="agreed",
            provenance=provenance,
            schema=task.schema,
        )
    if _add_person(w, compared):
        return "ready"
    _dispute(w, compared)
    return "disputed"


def named(by_region: dict[str, list[str]], by_key: dict[str, Assignment]) -> dict[str, list[str]]:
    """Side keys to assignments' public ids."""
    return {name: sorted(by_key[key].public_id for key in keys) for name, keys in by_region.items()}


def _dispute(w: Writing, compared: Compared) -> None:
    task, found = compared.task, compared.found
    dispute = Dispute(
        project_id=task.project_id,
        task=task,
        round=task.round,
        sides=[
            {"key": key, "assignment": seat.public_id, "digest": seat.digest}
            for key, seat in compared.sides.items()
        ],
        agreed=found.agreed,
        by_region=found.by_region,
        n_differences=len(found.differences),
        worst=found.worst,
        at=w.now,
    )
    dispute.save(force_insert=True)
    Difference.objects.bulk_create(
        [
            Difference(
                dispute=dispute,
                position=position,
                kind=entry.kind,
                severity=entry.severity,
                label=entry.label[:200],
                data=entry.as_json(),
            )
            for position, entry in enumerate(found.differences)
        ]
    )
    states.move(
        w,
        task,
        "compare",
        "disputed",
        "task.disputed",
        data={"dispute": dispute.public_id, "n": len(found.differences), "worst": found.worst},
        claimable=False,
    )


def _add_person(w: Writing, compared: Compared) -> bool:
    """One slot more, when the workflow says so, nothing is of class A, and somebody is left who may label
    it."""
    task, found = compared.task, compared.found
    wanted = task.workflow.document.get("add_person") or {}
    if not wanted.get("enabled") or found.worst == "A" or task.n_slots >= int(wanted.get("max", 3)):
        return False
    took = set(Assignment.objects.filter(task=task, stage="label").values_list("person_id", flat=True))
    took |= set(Exposure.objects.filter(item_id=task.item_id).values_list("person_id", flat=True))
    members = Member.objects.filter(project=task.project, active=True).select_related("account")
    if not any("annotator" in member.roles and member.account.person_id not in took for member in members):
        return False
    states.move(
        w,
        task,
        "compare",
        "ready",
        "task.person_added",
        data={"slots": task.n_slots + 1},
        n_slots=task.n_slots + 1,
        claimable=True,
    )
    seat_steps.rewind_cursors(task.project_id, task.rank)
    return True


def _give_up(chain: str, event: Any, error: Exception) -> None:
    reason = error.message if isinstance(error, ConcordError) else type(error).__name__
    with writing(actor=None) as w:
        changed = Task.objects.filter(public_id=event.object, state="compare").update(
            stuck=f"could not be compared: {reason}"[:200]
        )
        if changed:
            w.event(chain, "task.stuck", event.object, task=event.object, data={"stage": "compare"})
        news.advance(NAME, chain, event.seq)
