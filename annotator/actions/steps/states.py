"""Steps: the arrows between a task's states. Each is one conditional update and one event."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from annotator.actions.steps import seats
from annotator.core import document as documents
from annotator.core.errors import Conflict
from annotator.models import (
    AcceptedDocument,
    Assignment,
    CandidateDocument,
    Job,
    Member,
    Project,
    Reservation,
    SchemaVersion,
    Task,
)
from annotator.queries.documents import read_document

if TYPE_CHECKING:
    from annotator.actions.verb import Writing


def chance(seed: str, what: str) -> float:
    """A number in [0, 1) that the task's seed decides for a named question."""
    digest = hmac.new(seed.encode(), what.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:7]) / 2**56


def move(
    w: Writing,
    task: Task,
    source: str | tuple[str, ...],
    target: str,
    verb: str,
    *,
    data: dict[str, Any] | None = None,
    **fields: Any,
) -> None:
    """One arrow. Raises Conflict("state_changed") when the task is no longer where the caller saw it."""
    sources = (source,) if isinstance(source, str) else source
    fields.setdefault("stuck", "")  # what moves is not stuck any more
    changed = Task.objects.filter(pk=task.pk, state__in=sources, round=task.round).update(
        state=target, changed_at=w.now, **fields
    )
    if not changed:
        raise Conflict(
            "state_changed", "The task has moved on meanwhile.", cure="Load it again.", task=task.public_id
        )
    w.event(task.project.public_id, verb, task.public_id, task=task.public_id, data=data)
    task.state = target
    for name, value in fields.items():
        setattr(task, name, value)


def advance(
    w: Writing,
    task: Task,
    *,
    source: str,
    document: dict[str, Any],
    way: str,
    provenance: dict[str, Any],
    schema: SchemaVersion,
) -> str:
    """From labelling, compare or disputed on: to a check stage when the workflow (and its draw) says so, else accepted.

    A document that says unusable sets the task aside. Returns the new state.
    """
    if document.get("unusable") is not None:
        move(
            w,
            task,
            source,
            "set_aside",
            "task.set_aside",
            data={"reason": "unusable"},
            state_before="ready",
            reason=str(document["unusable"])[:300],
            claimable=False,
        )
        return "set_aside"
    check = task.workflow.document.get("check")
    if check and chance(task.seed, f"check:{task.round}:1") < float(check.get("share", 1.0)):
        digest = documents.digest(document)
        CandidateDocument.objects.update_or_create(
            task=task,
            round=task.round,
            defaults={
                "document": document,
                "digest": digest,
                "way": way,
                "provenance": provenance,
                "schema": schema,
                "at": w.now,
            },
        )
        move(w, task, source, "check", "task.to_check", data={"digest": digest, "way": way}, check_level=1)
        return "check"
    accept(w, task, source=source, document=document, way=way, provenance=provenance, schema=schema)
    return "accepted"


def accept(
    w: Writing,
    task: Task,
    *,
    source: str,
    document: dict[str, Any],
    way: str,
    provenance: dict[str, Any],
    schema: SchemaVersion,
) -> AcceptedDocument:
    """The accepted document of a task; an older one stays but is no longer current."""
    digest = documents.digest(document)
    last = AcceptedDocument.objects.filter(task=task).order_by("-number").first()
    if last is not None:
        AcceptedDocument.objects.filter(task=task, current=True).update(current=False)
    number = last.number + 1 if last is not None else 1
    move(
        w,
        task,
        source,
        "accepted",
        "task.accepted",
        data={"digest": digest, "way": way, "number": number},
        claimable=False,
    )
    from annotator.models import ChainHead

    seq = ChainHead.objects.values_list("seq", flat=True).get(chain=task.project.public_id)
    row = AcceptedDocument(
        task=task,
        number=number,
        round=task.round,
        document=document,
        digest=digest,
        way=way,
        provenance=provenance,
        schema=schema,
        event_seq=seq,
        at=w.now,
    )
    row.save(force_insert=True)
    _carry_over(w, task, schema)
    return row


def _carry_over(w: Writing, task: Task, schema: SchemaVersion) -> None:
    """A round keeps the schema version that it was pinned to. When another is in force by the time its document is
    accepted, the document follows by the job that carried the others over; else a release would mix two versions."""
    in_force = SchemaVersion.objects.filter(
        pk__in=Project.objects.filter(pk=task.project_id).values("schema")
    ).first()
    if in_force is None or in_force.number <= schema.number:
        return
    from annotator.jobs import enqueue

    running = Job.objects.filter(kind="migrate_labels", project_id=task.project_id, state="running").first()
    payload = {"schema": in_force.public_id, "prelabels_to": 0}
    if running is not None:  # it may be past this document already, so another follows it
        payload["after"] = running.public_id
    enqueue(w, "migrate_labels", payload, project=task.project, created_by=None)


def hand_back(
    w: Writing,
    task: Task,
    *,
    source: str,
    returned: list[Assignment],
    marks: dict[int, list[Any]],
    error_type: str,
) -> None:
    """Return seats to their people: a new round in which the other seats' annotations stand.

    `marks` by the returned assignment's row id. The seat is kept for the same person for `return_h`
    hours of the workflow, then offered to everybody eligible.
    """
    old = list(
        Assignment.objects.filter(
            task=task, round=task.round, stage="label", state="submitted"
        ).select_related("account")
    )
    going = {a.pk for a in returned}
    standing = [a for a in old if a.pk not in going]
    until = w.now + timedelta(hours=float(task.workflow.document.get("return_h", 24)))
    move(
        w,
        task,
        source,
        "returned",
        "task.returned",
        data={"error_type": error_type, "seats": sorted(a.public_id for a in returned)},
        round=task.round + 1,
        n_taken=len(standing),
        n_submitted=len(standing),
        claimable=False,
        due_at=None,
        check_level=0,
    )
    Assignment.objects.filter(pk__in=going).update(state="returned")
    # For who has left meanwhile nothing is kept: the next sweep offers the seat to others.
    active = {
        member.account_id
        for member in Member.objects.filter(project_id=task.project_id, active=True, account__is_active=True)
        if "annotator" in member.roles
    }
    for a in returned:
        Reservation.objects.create(
            task=task,
            round=task.round,
            slot=a.slot,
            person_id=a.person_id,
            until=until if a.account_id in active else w.now,
            base=a,
            marks=marks.get(a.pk, []),
        )
    for a in standing:
        seat = seats.take_seat(
            w,
            task,
            stage="label",
            slot=a.slot,
            account=a.account,
            until=a.lease_until,
            start=read_document(a),
            base=a,
        )
        Assignment.objects.filter(pk=seat.pk).update(
            state="submitted", submitted_at=a.submitted_at, shown=a.shown, exposed=a.exposed
        )


def close_labelling(w: Writing, task: Task) -> str:
    """All slots are in and the grace is over: on to compare, or past it when one person labels."""
    if task.n_slots > 1:
        move(w, task, "labelling", "compare", "task.labelled", due_at=None, claimable=False)
        return "compare"
    seat = Assignment.objects.select_related("schema").get(
        task=task, round=task.round, stage="label", state="submitted"
    )
    document = read_document(seat)
    Task.objects.filter(pk=task.pk).update(due_at=None)
    provenance = {
        "assignments": [seat.public_id],
        "by_region": {r: [seat.public_id] for r in document["regions"]},
    }
    return advance(
        w,
        task,
        source="labelling",
        document=document,
        way="single",
        provenance=provenance,
        schema=seat.schema,
    )
