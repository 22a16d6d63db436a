"""Steps: store a schema version and put it in force. Demands an open transaction.

A version is immutable. Its mapping says how labels of the version before are called now; stored accepted documents and
prelabels follow by the job `migrate_labels`, seats keep the version that their round is pinned to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotator.models import AcceptedDocument, Account, Prelabel, Project, SchemaVersion
from annotator.queries.schema_page import check_next

if TYPE_CHECKING:
    from annotator.actions.verb import Writing


def store_schema(
    w: Writing,
    project: Project,
    document: dict[str, Any],
    actor: Account,
    mapping: dict[str, Any] | None = None,
) -> SchemaVersion:
    """Validate, number and store the document, put it in force; the version in force again when nothing differs."""
    current = SchemaVersion.objects.filter(pk=project.schema_id).first() if project.schema_id else None
    new, mapped = check_next(current.document if current else None, document, mapping)
    if current is not None and current.digest == new.digest:
        return current
    last = (
        SchemaVersion.objects.filter(project=project)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    version = SchemaVersion.objects.create(
        project=project,
        number=(last or 0) + 1,
        document=document,
        digest=new.digest,
        mapping=mapping or {},
        created_by=actor,
        created_at=w.now,
    )
    Project.objects.filter(pk=project.pk).update(schema=version)
    project.schema = version
    w.event(
        project.public_id,
        "schema.published",
        version.public_id,
        data={
            "number": version.number,
            "digest": version.digest,
            "mapped": len(mapped.labels) + len(mapped.attributes),
        },
    )
    if current is not None:
        enqueue_migration(w, project, version, actor)
    return version


def enqueue_migration(
    w: Writing, project: Project, version: SchemaVersion, actor: Account | None
) -> str | None:
    """The job that carries stored labels over to `version`; None when nothing is stored under an older one.

    Prelabels stored from now on are checked against the new version already, so the job stops at the newest of today.
    """
    from annotator.jobs import enqueue

    newest = (
        Prelabel.objects.filter(item__project=project).order_by("-id").values_list("id", flat=True).first()
    )
    renames = bool(version.mapping.get("labels") or version.mapping.get("attributes"))
    old = AcceptedDocument.objects.filter(task__project=project, current=True).exclude(schema=version)
    if not old.exists() and not (renames and newest):
        return None
    job, _ = enqueue(
        w,
        "migrate_labels",
        {"schema": version.public_id, "prelabels_to": (newest or 0) if renames else 0},
        project=project,
        created_by=actor,
    )
    return job.public_id
