"""Verb: accept a spooled import as a job. The rows themselves are read by the io worker (`import_rows`)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from annotator import spool
from annotator.actions.steps.items import find_batch
from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict
from annotator.jobs import enqueue
from annotator.models import Account, Project

FORMS = ("json", "jsonl", "zip")


def import_batch(
    *,
    actor: Account,
    project: Project,
    spooled: Path,
    sha256: str,
    form: str,
    batch: str,
    on_bad: str,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Enqueue the import of a spooled file; the file is the job's from now on. A replayed call drops its own copy."""
    kept = False
    try:
        with writing(actor=actor, now=now, idem=idem, request=request) as w:
            if w.replayed is not None:
                return w.replayed  # type: ignore[no-any-return]
            project = Project.objects.select_related("workflow", "schema").get(pk=project.pk)
            if project.workflow is None or project.schema is None:
                raise Conflict(
                    "no_schema", "The project has no schema yet.", cure="Publish a schema, then import."
                )
            package = find_batch(w, project, batch)
            job, _ = enqueue(
                w,
                "import",
                {
                    "file": spooled.name,
                    "sha256": sha256,
                    "form": form,
                    "batch": package.public_id,
                    "on_bad": on_bad,
                },
                project=project,
                created_by=actor,
            )
            answer = w.answer({"job": job.public_id, "batch": package.public_id}, 202)
        kept = True
        return answer  # type: ignore[no-any-return]
    finally:
        if not kept:
            spool.drop(spooled.name)
