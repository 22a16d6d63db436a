"""Bulk actions on items: the verb counts and enqueues, the job carries them out task by task.

What the filter matches is frozen at the request by the newest task there is and its count is told; a task that has
moved on meanwhile is left alone and counted with the reason.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from annotator import jobs
from annotator.actions.steps import aside as steps
from annotator.actions.verb import Idem, Writing, writing
from annotator.core.errors import Invalid
from annotator.models import Account, Job, Project, Task
from annotator.queries.items import MAX_IDS, ItemFilter

ACTIONS = ("set_aside", "restore", "priority", "tag", "untag", "requeue")
CHUNK = 100


def check_value(action: str, value: Any) -> Any:
    """The value that the action wants. Raises Invalid."""
    if action not in ACTIONS:
        raise Invalid(
            "unknown_action",
            "There is no such bulk action.",
            field="action",
            cure="Known: " + ", ".join(ACTIONS) + ".",
        )
    if action == "priority":
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 100_000:
            raise Invalid(
                "bad_priority", "priority is a whole number from -100,000 to 100,000.", field="value"
            )
        return value
    if action in ("tag", "untag"):
        if (
            not isinstance(value, str)
            or not 1 <= len(value.strip()) <= 100
            or any(ord(c) < 32 for c in value)
        ):
            raise Invalid("bad_tag", "A tag is a text of 1 to 100 characters.", field="value")
        return value.strip()
    if value is None and action == "requeue":
        return ""
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 300:
        raise Invalid("reason_wanted", "Say why, in 1 to 300 characters.", field="value")
    return value.strip()


def bulk_items(
    *,
    actor: Account,
    project: Project,
    wanted: ItemFilter,
    action: str,
    value: Any,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """One job for all matching items; says how many they are."""
    value = check_value(action, value)
    if wanted.ids is not None and not 1 <= len(wanted.ids) <= MAX_IDS:
        raise Invalid(
            "bad_ids", "ids is a list of item ids, not empty and not too long.", field="ids", limit=MAX_IDS
        )
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        found = wanted.tasks(project)
        count = found.count()
        last = found.order_by("-order").values_list("order", flat=True).first() or 0
        job, _ = jobs.enqueue(
            w,
            "bulk",
            {
                "action": action,
                "value": value,
                "filter": wanted.as_dict(),
                "to": last,
                "ids": list(wanted.ids) if wanted.ids is not None else None,
                "count": count,
            },
            project=project,
            created_by=actor,
        )
        return w.answer({"job": job.public_id, "count": count}, 202)  # type: ignore[no-any-return]


def run(ticket: jobs.Ticket) -> dict[str, Any]:
    """The handler: tasks in queue order, a chunk a write; a killed run goes on behind its last whole chunk."""
    payload = ticket.payload
    project = Project.objects.get(pk=ticket.job.project_id)
    ids = payload["ids"]
    wanted = ItemFilter(**payload["filter"], ids=tuple(ids) if ids is not None else None)
    kept = (ticket.job.result or {}).get("cursor", {"at": -1, "changed": 0, "left": {}})
    at, changed, left = kept["at"], kept["changed"], Counter(kept["left"])
    while True:
        with writing(actor=ticket.job.created_by) as w:
            ticket.fence()
            # by order alone: actions change what the filter matches, never the order
            found = wanted.tasks(project).filter(order__gt=at, order__lte=payload["to"]).order_by("order")
            page = list(found.select_related("item", "project", "workflow")[:CHUNK])
            for task in page:
                why = _act(w, task, payload["action"], payload["value"])
                if why:
                    left[why] += 1
                else:
                    changed += 1
            report = {"count": payload["count"], "changed": changed, "left": dict(left)}
            if page:
                at = page[-1].order
                Job.objects.filter(pk=ticket.job.pk).update(
                    result={**report, "cursor": {"at": at, "changed": changed, "left": dict(left)}},
                    progress=changed + sum(left.values()),
                    total=payload["count"],
                )
        if not page:
            return report
        if Job.objects.filter(pk=ticket.job.pk, cancel_asked=True).exists():
            Job.objects.filter(pk=ticket.job.pk).update(result=report)
            raise jobs.Cancelled


def _act(w: Writing, task: Task, action: str, value: Any) -> str:
    if action in ("set_aside", "restore", "requeue"):
        held = steps.frozen(task)
        if held:
            return "frozen"
        return {"set_aside": steps.set_aside, "restore": steps.restore, "requeue": steps.requeue}[action](
            w, task, value
        )
    if action == "priority":
        return steps.set_priority(w, task, value)
    return steps.set_tags(w, task, add=value) if action == "tag" else steps.set_tags(w, task, take=value)
