"""Job `migrate_labels`: carry accepted documents and prelabels over to a newer schema version.

An accepted document is never altered: the migrated one is the next of its task (way "migrated"), the old one stays.
Prelabels keep their row; only names of labels and attributes in it change. Seats that were claimed keep the version
their round is pinned to. The way back is another version with the inverse mapping.
"""

from __future__ import annotations

from typing import Any

from annotator import jobs
from annotator.actions.steps.aside import frozen
from annotator.actions.verb import Writing, writing
from annotator.core import changes as grammar
from annotator.core.canonical import digest
from annotator.core.schema import Mapped, migrate_changes, parse_mapping
from annotator.models import AcceptedDocument, ChainHead, Job, Prelabel, Project, SchemaVersion

CHUNK = 100


def run(ticket: jobs.Ticket) -> dict[str, Any]:
    """The handler; repeated after a kill it goes on behind its last whole chunk."""
    project = Project.objects.get(pk=ticket.job.project_id)
    target = SchemaVersion.objects.get(project=project, public_id=ticket.payload["schema"])
    steps = {
        v.number: parse_mapping(v.mapping)
        for v in SchemaVersion.objects.filter(project=project, number__lte=target.number)
    }
    done = {"documents": 0, "unchanged": 0, "frozen": 0, "prelabels": 0, "prelabel_at": 0}
    done |= (ticket.job.result or {}).get("cursor", {})
    _prelabels(ticket, project, steps[target.number], done)
    seen = 0
    while True:
        rows = (
            AcceptedDocument.objects.select_related("task__project", "schema")
            .filter(task__project=project, current=True, schema__number__lt=target.number, pk__gt=seen)
            .order_by("pk")[:CHUNK]
        )
        page = list(rows)
        if not page:
            break
        with writing(actor=None) as w:
            ticket.fence()
            for row in page:
                done[_document(w, project, row, target, steps)] += 1
            _keep(ticket, done)
        seen = page[-1].pk
        ticket.progress(done["documents"] + done["unchanged"] + done["frozen"])
    return {name: done[name] for name in ("documents", "unchanged", "frozen", "prelabels")}


def _keep(ticket: jobs.Ticket, done: dict[str, int]) -> None:
    Job.objects.filter(pk=ticket.job.pk).update(result={"cursor": done})


def _document(
    w: Writing, project: Project, row: AcceptedDocument, target: SchemaVersion, steps: dict[int, Mapped]
) -> str:
    """The next accepted document of one task. Says what became of it."""
    if not AcceptedDocument.objects.filter(pk=row.pk, current=True).exists():
        return "unchanged"  # mended meanwhile, under the newer version
    if frozen(row.task):
        return "frozen"
    document, changed = row.document, 0
    for number in range(row.schema.number + 1, target.number + 1):
        changes = migrate_changes(document, steps[number])
        document = grammar.apply(document, changes)
        changed += len(changes)
    AcceptedDocument.objects.filter(pk=row.pk).update(current=False)
    mark = digest(document)
    w.event(
        project.public_id,
        "document.migrated",
        row.public_id,
        task=row.task.public_id,
        data={"digest": mark, "before": row.digest, "schema": target.public_id, "changes": changed},
    )
    seq = ChainHead.objects.values_list("seq", flat=True).get(chain=project.public_id)
    AcceptedDocument.objects.create(
        task=row.task,
        number=row.number + 1,
        round=row.round,
        document=document,
        digest=mark,
        way="migrated",
        provenance={**row.provenance, "migrated_from": row.public_id},
        schema=target,
        event_seq=seq,
        at=w.now,
    )
    return "documents" if changed else "unchanged"


def _prelabels(ticket: jobs.Ticket, project: Project, mapped: Mapped, done: dict[str, int]) -> None:
    """Names in prelabels that were stored before the version; once each, held by the job's cursor.

    A round that was pinned in the moment between publication and this job may have shown the old names; keeping such
    a region is refused until the page is loaded again.
    """
    last = ticket.payload["prelabels_to"]
    if not last or not (mapped.labels or mapped.attributes):
        return
    number = SchemaVersion.objects.values_list("number", flat=True).get(public_id=ticket.payload["schema"])
    while True:
        rows = Prelabel.objects.filter(item__project=project, pk__gt=done["prelabel_at"], pk__lte=last)
        page = list(rows.select_related("item__task__schema").order_by("pk")[:CHUNK])
        if not page:
            return
        with writing(actor=None) as w:
            ticket.fence()
            changed = []
            for row in page:
                pinned = row.item.task.schema
                if pinned is not None and pinned.number < number:
                    continue  # shown under the older version, and stays so for that round
                document = {"regions": row.regions}
                changes = migrate_changes(document, mapped)
                if changes:
                    whole = {"format": 1, "regions": row.regions, "answers": {}, "unusable": None}
                    row.regions = grammar.apply(whole, changes)["regions"]
                    changed.append(row)
            if changed:
                Prelabel.objects.bulk_update(changed, ["regions"], batch_size=100)
                w.events(
                    project.public_id,
                    [
                        (
                            "prelabel.migrated",
                            row.public_id,
                            row.item.task.public_id,
                            {"schema": ticket.payload["schema"]},
                        )
                        for row in changed
                    ],
                )
            done["prelabels"] += len(changed)
            done["prelabel_at"] = page[-1].pk
            _keep(ticket, done)
        ticket.progress(done["prelabels"])
