"""Reads: Work, everything a person may know of one seat. The closed list of what a seat tells.

No field, counter or time here depends on a colleague's seat: prelabels are those pinned to the
round, marks those of an own return, the lease is the own.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from annotator import sql
from annotator.contributions import site
from annotator.core.document import geometry_parts
from annotator.core.times import iso
from annotator.models import Account, Assignment, Item, Prelabel, Project, Task
from annotator.queries.assets import asset_json, item_assets
from annotator.queries.documents import read_document
from annotator.queries.versions import schema_version, workflow_version
from annotator.queries.workflows import grace_s


def seat_of(account: Account, public_id: str) -> Assignment | None:
    """The person's own seat with all that answering it needs, or None. A known second account is the same person."""
    seat = sql.one(Assignment, "public_id = %s AND person_id = %s", [public_id, account.person_id])
    if seat is None:
        return None
    task = sql.one(Task, "id = %s", [seat.task_id])
    project = sql.one(Project, "id = %s", [seat.project_id])
    assert task is not None and project is not None  # foreign keys
    item = sql.one(Item, "id = %s", [task.item_id])
    assert item is not None
    seat.task, task.item = task, item
    seat.project = seat.task.project = project
    seat.account = account
    # Versions are immutable and kept in memory; joining them costs more than the seat itself.
    seat.schema = schema_version(seat.schema_id)
    seat.task.workflow = workflow_version(seat.task.workflow_id)
    return seat


def work_of(seat: Assignment) -> dict[str, Any]:
    """Work (see docs/reference/api.md) of one seat for its holder."""
    task, item, workflow = seat.task, seat.task.item, seat.task.workflow.document
    listed = workflow.get("shown_fields", [])
    work: dict[str, Any] = {
        "assignment": {
            "id": seat.public_id,
            "token": seat.token,
            "stage": seat.stage,
            "state": seat.state,
            "lease_until": iso(seat.lease_until),
            "revision": seat.revision,
            "digest": seat.digest,
            "grace_s": grace_s(workflow),
            "parkable": True,
            "ahead": seat.state == "ahead",
        },
        "project": {"id": seat.project.public_id, "title": seat.project.title},
        "task": {"id": task.public_id},
        "item": {
            "id": item.public_id,
            "key": item.external_key if "external_key" in listed else None,
            "metadata": {k: v for k, v in item.metadata.items() if k in listed},
            "assets": [
                # a file's name tells as much as the key (a patient, a class), so it is shown only with it
                asset_json(role, a) | ({} if "external_key" in listed else {"name": role or a.kind})
                for role, a in item_assets(item.pk)
            ],
        },
        "schema": {
            "id": seat.schema.public_id,
            "version": seat.schema.number,
            "document": seat.schema.document,
        },
        "document": read_document(seat),
        "prelabels": prelabels_of(seat),
        "marks": seat.marks,
        "server_now": iso(timezone.now()),
    }
    policy = site.claim_policies.get(seat.stage)
    if policy is not None:
        work |= policy.extend(seat, work)
    return work


def shown_parts(seat: Assignment) -> set[str]:
    """Raster parts of the prelabels that this seat is shown: it may read them and keep them."""
    if seat.stage != "label" or seat.shown == "none":
        return set()
    rows = Prelabel.objects.filter(public_id__in=seat.task.pinned).values_list("regions", flat=True)
    return {
        part for regions in rows for region in regions.values() for part in geometry_parts(region["geometry"])
    }


def prelabels_of(seat: Assignment) -> list[dict[str, Any]]:
    """The pinned prelabels, if this seat is shown them."""
    if seat.stage != "label" or seat.shown == "none":
        return []
    rows = Prelabel.objects.filter(public_id__in=seat.task.pinned).select_related("set").order_by("set_id")
    return [
        {
            "id": p.public_id,
            "source": p.set.source,
            "version": p.set.version,
            "score": p.score,
            "regions": p.regions,
            "answers": p.answers,
        }
        for p in rows
    ]
