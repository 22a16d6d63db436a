"""Verbs on a project: create from a template, edit, delete (hidden at once, rows removed by a job)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from annotator import db, jobs
from annotator.actions.steps.members import store_member
from annotator.actions.steps.schemas import store_schema
from annotator.actions.verb import Idem, Writing, iso, writing
from annotator.core import templates
from annotator.core.canonical import same
from annotator.core.errors import Conflict, Invalid
from annotator.core.workflow import complete
from annotator.models import Account, Item, Job, Project, Task, WorkflowVersion

TITLE_MAX, DESCRIPTION_MAX = 200, 10_000


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not 1 <= len(title) <= TITLE_MAX:
        raise Invalid("bad_title", "A title has 1 to 200 characters.", field="title")
    return title


def _description(text: str) -> str:
    if len(text) > DESCRIPTION_MAX:
        raise Invalid("too_long", "This text is too long.", field="description", limit=DESCRIPTION_MAX)
    return text


def project_body(project: Project) -> dict[str, Any]:
    """A project as its members see it."""
    return {
        "id": project.public_id,
        "title": project.title,
        "description": project.description,
        "paused": project.paused,
        "created_at": iso(project.created_at),
        "schema": {"id": project.schema.public_id, "version": project.schema.number}
        if project.schema
        else None,
        "workflow": {"version": project.workflow.number, "document": project.workflow.document}
        if project.workflow
        else None,
    }


def _store_workflow(
    w: Writing, project: Project, document: dict[str, Any], actor: Account
) -> WorkflowVersion:
    last = WorkflowVersion.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    version = WorkflowVersion.objects.create(
        project=project, number=last + 1, document=document, created_by=actor, created_at=w.now
    )
    project.workflow = version
    Project.objects.filter(pk=project.pk).update(workflow=version)
    w.event(project.public_id, "workflow.published", project.public_id, data={"number": version.number})
    return version


def create_project(
    *,
    actor: Account,
    title: str,
    template: str = "empty",
    description: str = "",
    lead: str | None = None,
    workflow: dict[str, Any] | None = None,
    schema: dict[str, Any] | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """A project with its first schema and workflow; `lead` (a user name) leads it, else its maker."""
    if template not in templates.names():
        raise Invalid(
            "unknown_template",
            "There is no template of this name.",
            field="template",
            allowed=list(templates.names()),
        )
    start = templates.template(template)
    title, description = _title(title), _description(description)
    try:
        document = complete(workflow or {}, base=start["workflow"])
    except Invalid as error:
        error.field = f"workflow.{error.field}" if error.field else "workflow"
        raise
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        leader = actor
        if lead is not None and lead.strip():
            found = Account.objects.filter(username=lead.strip(), is_active=True).first()
            if found is None:
                raise Invalid("unknown_account", "There is no account of this name.", field="lead")
            leader = found
        project = Project.objects.create(
            title=title,
            description=description,
            created_by=actor,
            created_at=w.now,
            seed=secrets.token_hex(32),
        )
        w.event(project.public_id, "project.created", project.public_id, data={"template": template})
        store_member(w, project, leader, ["lead"])
        _store_workflow(w, project, document, actor)
        try:
            store_schema(w, project, schema if schema is not None else start["schema"], actor)
        except Invalid as error:
            error.field = f"schema.{error.field}" if error.field else "schema"
            raise
        return w.answer(project_body(project), 201)


def edit_project(
    *,
    actor: Account,
    project: Project,
    title: str | None = None,
    description: str | None = None,
    paused: bool | None = None,
    workflow: dict[str, Any] | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Change what is given; a changed workflow is a new version that new tasks follow. Raises Invalid."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed
        project = (
            Project.objects.select_for_update(of=("self",))
            .select_related("schema", "workflow")
            .get(pk=project.pk)
        )
        fields = []
        if title is not None and _title(title) != project.title:
            project.title = _title(title)
            fields.append("title")
        if description is not None and description != project.description:
            project.description = _description(description)
            fields.append("description")
        if paused is not None and paused != project.paused:
            project.paused = paused
            w.event(project.public_id, "project.paused" if paused else "project.resumed", project.public_id)
            Project.objects.filter(pk=project.pk).update(paused=paused)
        if fields:
            project.save(update_fields=fields)
            w.event(project.public_id, "project.edited", project.public_id, data={"fields": fields})
        if workflow is not None:
            before = project.workflow.document if project.workflow else {}
            try:
                document = complete(workflow, base=before)
            except Invalid as error:
                error.field = f"workflow.{error.field}" if error.field else "workflow"
                raise
            if not same(document, before):
                _store_workflow(w, project, document, actor)
        return w.answer(project_body(project))


def delete_project(
    *, actor: Account, project: Project, title: str, now: datetime | None = None, request: str = ""
) -> dict[str, Any]:
    """Hide the project from everybody at once; a job removes its content. `title` is typed to confirm.

    The event chain stays: it says that the project was and who removed it.
    """
    if title.strip() != project.title:
        raise Invalid(
            "title_differs",
            "This is not the title of the project.",
            field="title",
            cure="Type the title exactly.",
        )
    with writing(actor=actor, now=now, request=request) as w:
        if not Project.objects.filter(pk=project.pk, deleted_at=None).update(deleted_at=w.now):
            raise Conflict("already_deleted", "The project was deleted already.")
        w.event(project.public_id, "project.deleted", project.public_id)
        # What still runs for it would write on behind the removal: nobody can see or end it from now on.
        waiting = Job.objects.filter(project=project)
        waiting.filter(state="queued").update(state="cancelled", finished_at=w.now)
        waiting.filter(state="running").update(cancel_asked=True)
        # Not the project's own job: it would go with the project's rows.
        job, _ = jobs.enqueue(
            w, "delete_project", {"project": project.public_id}, project=None, created_by=actor
        )
        return w.answer({"deleted": project.public_id, "job": job.public_id}, 202)


PAGE = 200


def remove_content(ticket: jobs.Ticket) -> dict[str, Any]:
    """Job: remove the rows of a deleted project in small writes; a second run goes on where the first ended.

    Blobs that nothing names any more stay in the store: other projects may hold the same bytes.
    """
    from annotator.models import Assignment

    project = Project.objects.filter(public_id=ticket.payload["project"]).exclude(deleted_at=None).first()
    if project is None:
        return {"removed": 0}
    total = Task.objects.filter(project=project).count()
    done = 0
    while True:
        with db.write_lock(), transaction.atomic(durable=True):
            ticket.fence()
            tasks = list(
                Task.objects.filter(project=project).order_by("id").values_list("pk", "item_id")[:PAGE]
            )
            _remove_judgements([pk for pk, _ in tasks])
            Assignment.objects.filter(task_id__in=[pk for pk, _ in tasks]).delete()
            Task.objects.filter(pk__in=[pk for pk, _ in tasks]).delete()
            Item.objects.filter(pk__in=[item for _, item in tasks]).delete()
        done += len(tasks)
        ticket.progress(done, total)
        if len(tasks) < PAGE:
            break
    with writing(actor=None) as w:
        ticket.fence()
        project.assets.filter(item_assets=None).delete()
        project.uploads.all().delete()
        w.event(project.public_id, "project.content_removed", project.public_id, data={"tasks": done})
    return {"removed": done}


def _remove_judgements(tasks: list[int]) -> None:
    """Rows of upper wings that protect an assignment (a verdict) go first, found by the model registry."""
    from annotator.models import AcceptedDocument, Assignment

    seats = list(Assignment.objects.filter(task_id__in=tasks).values_list("pk", flat=True))
    accepted = list(AcceptedDocument.objects.filter(task_id__in=tasks).values_list("pk", flat=True))
    for model, keys in ((Assignment, seats), (AcceptedDocument, accepted)):
        for relation in model._meta.related_objects:
            if relation.on_delete.__name__ == "PROTECT":
                relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": keys}).delete()
