"""Verbs: train a model from what was accepted; let a trained one propose. The work itself is a job of the
model lane."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max

from annotator import jobs
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Job, Project
from prelabel.core import schema_view
from prelabel.core.kinds import KINDS, MINIMUM
from prelabel.models import ModelVersion
from prelabel.queries import training_set


def train_model(
    *,
    actor: Account,
    project: Project,
    kind: str,
    control: str | None = None,
    minimum: int | None = None,
    steps: int | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"job": …, "model": …}. Refused at once when the schema has nothing to learn or too little is accepted.

    minimum and steps are for tests and the command; no page and no route passes them.
    """
    schema = project.schema.document if project.schema else {}
    if kind not in KINDS:
        raise Invalid(
            "unknown_kind",
            "There is no model of this kind.",
            field="kind",
            cure="Use " + ", ".join(KINDS) + ".",
        )
    if kind == "text_class":
        controls = schema_view.choice_controls(schema)
        if control is None and len(controls) == 1:
            control = next(iter(controls))
        if control not in controls:
            raise Invalid(
                "no_control", "A text model needs a choice of the schema to answer.", field="control"
            )
    else:
        control = None
        if not training_set.labels_for(project, kind):
            raise Invalid(
                "nothing_to_learn",
                "The schema in force has no label in a shape that this model draws.",
                field="kind",
            )
    need = MINIMUM[kind] if minimum is None else minimum
    have = training_set.count(project)
    if have < need:
        raise Conflict(
            "too_few_examples",
            "There are too few accepted items to learn from.",
            cure="Label and accept more items, then train again.",
            have=have,
            need=need,
        )
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        payload: dict[str, Any] = {"kind": kind, "control": control}
        payload |= {k: v for k, v in (("minimum", minimum), ("steps", steps)) if v is not None}
        job, made = jobs.enqueue(w, "prelabel.train", payload, project=project, created_by=actor)
        if made:
            number = (
                ModelVersion.objects.filter(project=project, kind=kind).aggregate(n=Max("number"))["n"] or 0
            )
            model = ModelVersion.objects.create(
                project=project,
                kind=kind,
                number=number + 1,
                params={"control": control} if control else {},
                job=job,
                created_by=actor,
                created_at=w.now,
            )
            w.event(
                project.public_id,
                "model.training",
                model.public_id,
                data={"kind": kind, "number": model.number},
            )
        else:
            model = ModelVersion.objects.get(job=job)
        return w.answer({"job": job.public_id, "model": model.public_id}, 202)


def run_model(
    *,
    actor: Account,
    model: ModelVersion,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"job": public id}. Only a ready model prelabels."""
    if model.state != "ready":
        raise Conflict("model_not_ready", "This model version is not in use.", state=model.state)
    newer = ModelVersion.objects.filter(
        project=model.project_id, kind=model.kind, params=model.params, state="ready", number__gt=model.number
    )
    if newer.exists():
        raise Conflict("old_version", "There is a newer version of this model.", cure="Run the newest one.")
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        job, _made = jobs.enqueue(
            w, "prelabel.run_model", {"model": model.public_id}, project=model.project, created_by=actor
        )
        return w.answer({"job": job.public_id}, 202)


def forget(job: Job) -> None:
    """What a cancelled or failed training leaves: its version says so, and nothing else is there."""
    with writing(actor=None):
        ModelVersion.objects.filter(job=job, state="training").update(state="failed")
