"""Verb: publish a new schema version (and, as a step, the migration of what is stored)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotator.actions.steps.schemas import store_schema
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict
from annotator.core.times import iso
from annotator.models import Account, Job, Project


def publish_schema(
    *,
    actor: Account,
    project: Project,
    document: dict[str, Any],
    mapping: dict[str, Any] | None = None,
    if_version: int | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Store and put in force. `if_version` is the number the author started from; another in force is a Conflict."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        project = Project.objects.select_related("schema").get(pk=project.pk)
        in_force = project.schema.number if project.schema else 0
        if if_version is not None and if_version != in_force:
            raise Conflict(
                "schema_changed",
                "Another version was published meanwhile.",
                cure="Load the schema and apply your changes to it.",
                version=in_force,
            )
        version = store_schema(w, project, document, actor, mapping)
        job = (
            Job.objects.filter(kind="migrate_labels", project=project, state="queued").order_by("-id").first()
        )
        return w.answer(
            {
                "id": version.public_id,
                "version": version.number,
                "digest": version.digest,
                "created_at": iso(version.created_at),
                "job": job.public_id if job else None,
            }
        )  # type: ignore[no-any-return]


def migrate_again(
    *,
    actor: Account,
    project: Project,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Enqueue the migration of accepted documents once more: for those that an open lot had frozen."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        project = Project.objects.select_related("schema").get(pk=project.pk)
        if project.schema is None:
            raise Conflict("no_schema", "The project has no schema yet.")
        from annotator.jobs import enqueue

        job, _ = enqueue(
            w,
            "migrate_labels",
            {"schema": project.schema.public_id, "prelabels_to": 0},
            project=project,
            created_by=actor,
        )
        return w.answer({"job": job.public_id})  # type: ignore[no-any-return]
