"""Verb: make or change a batch: name, priority of what is imported from now on, pause, deadline, teams."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from annotator.actions.steps.items import find_batch
from annotator.actions.steps.seats import rewind_cursors
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid
from annotator.core.times import iso
from annotator.models import Account, Batch, Project, Task, Team

KINDS = ("normal", "pilot")


def batch_body(batch: Batch) -> dict[str, Any]:
    """A batch as a lead sees it."""
    return {
        "id": batch.public_id,
        "name": batch.name,
        "kind": batch.kind,
        "priority": batch.priority,
        "paused": batch.paused,
        "deadline": iso(batch.deadline),
        "teams": sorted(t.name for t in batch.teams.all()),
        "created_at": iso(batch.created_at),
    }


def edit_batch(
    *,
    actor: Account,
    project: Project,
    batch: Batch | None,
    fields: dict[str, Any],
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Change what `fields` names; without a batch, make one (name wanted). Raises Invalid, Conflict."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        made = batch is None
        if batch is None:
            if Batch.objects.filter(project=project, name=" ".join(str(fields["name"]).split())).exists():
                raise Conflict("name_taken", "There is a batch of this name.", field="name")
            batch = find_batch(w, project, str(fields["name"]))
        batch = Batch.objects.get(pk=batch.pk)
        _apply(w, project, batch, fields, made)
        batch.save()
        if "teams" in fields:
            if not all(isinstance(name, str) for name in fields["teams"]):
                raise Invalid("unknown_team", "There is no such team.", field="teams")
            teams = list(Team.objects.filter(project=project, name__in=fields["teams"]))
            if len(teams) != len(set(fields["teams"])):
                raise Invalid("unknown_team", "There is no such team.", field="teams")
            batch.teams.set(teams)
        if not made:
            w.event(project.public_id, "batch.edited", batch.public_id, data={"fields": sorted(fields)})
        if {"paused", "teams"} & fields.keys():
            # what was held back lies behind the cursors of those who passed it
            first = (
                Task.objects.filter(batch=batch, claimable=True)
                .order_by("rank")
                .values_list("rank", flat=True)
                .first()
            )
            if first is not None:
                rewind_cursors(project, first)
        return w.answer(batch_body(batch), 201 if made else 200)  # type: ignore[no-any-return]


def _apply(w: Any, project: Project, batch: Batch, fields: dict[str, Any], made: bool) -> None:
    if "name" in fields and not made:
        name = " ".join(fields["name"].split())
        if not 1 <= len(name) <= 200:
            raise Invalid("bad_name", "A batch has a name of 1 to 200 characters.", field="name")
        if Batch.objects.filter(project=project, name=name).exclude(pk=batch.pk).exists():
            raise Conflict("name_taken", "There is a batch of this name.", field="name")
        batch.name = name
    if "kind" in fields:
        if fields["kind"] not in KINDS:
            raise Invalid("unknown_choice", "The kind of a batch is normal or pilot.", field="kind")
        if fields["kind"] != batch.kind and batch.items.exists():
            raise Conflict("batch_in_use", "A batch with items keeps its kind.", field="kind")
        batch.kind = fields["kind"]
    if "priority" in fields:
        if abs(fields["priority"]) > 100_000:
            raise Invalid(
                "bad_priority", "priority is a whole number from -100,000 to 100,000.", field="priority"
            )
        batch.priority = fields["priority"]
    if "paused" in fields:
        batch.paused = fields["paused"]
    if "deadline" in fields:
        raw = fields["deadline"]
        try:
            moment = datetime.fromisoformat(raw) if raw is not None else None
        except ValueError:
            raise Invalid("bad_time", "A time is written in ISO 8601.", field="deadline") from None
        if moment is not None and moment.tzinfo is None:
            raise Invalid("bad_time", "A time names its zone.", field="deadline")
        try:
            batch.deadline = moment.astimezone(UTC) if moment is not None else None
        except OverflowError:  # the first or last day there is, in another zone
            raise Invalid("bad_time", "A time is written in ISO 8601.", field="deadline") from None
