"""Reads: the lead's project page - the flow from imported to released, the widest wait, people, jobs."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from annotator.core.times import iso
from annotator.models import (
    LIVE,
    Assignment,
    ChainHead,
    Event,
    Item,
    Job,
    Member,
    Prelabel,
    Project,
    Release,
    Task,
)

RATE_EVENTS = 20_000  # the rate of the last hour is read from at most so many of the newest events
STEPS = ("imported", "prelabelled", "labelling", "compared", "disputed", "checked", "accepted", "released")
WAITS = (
    "labelling",
    "compared",
    "disputed",
    "checked",
)  # steps at which tasks wait for somebody or something
# Which events move a task past a step, for its rate.
PASSED = {
    "imported": ("item.imported",),
    "labelling": ("annotation.submitted",),
    "compared": ("task.labelled",),
    "disputed": ("dispute.decided", "dispute.returned"),
    "checked": ("check.passed", "check.mended", "check.returned"),
    "accepted": ("task.accepted",),
}
ROLE_OF_STEP = {"labelling": "annotator", "disputed": "expert", "checked": "checker"}


def _rates(chain: str, now: datetime) -> tuple[Counter[str], bool]:
    """Events by verb in the last hour; True when the bound cut them (then they are a lower bound)."""
    head = ChainHead.objects.filter(chain=chain).values_list("seq", flat=True).first() or 0
    since = iso(now - timedelta(hours=1))
    rows = Event.objects.filter(chain=chain, seq__gt=head - RATE_EVENTS, at__gte=since)
    counts: Counter[str] = Counter(dict(rows.values_list("verb").annotate(n=Count("pk"))))
    return counts, sum(counts.values()) >= RATE_EVENTS


def progress_of(project: Project, now: datetime | None = None) -> dict[str, Any]:
    """{"flow": [{"step", "n", "hour", "waits"}], "cut", "wait", "set_aside", "stuck", "seq"}.

    imported, prelabelled, accepted and released count what has come so far; labelling, compared, disputed and
    checked count the tasks that wait there now. `hour`: passed in the last hour, None where not counted.
    """
    now = now or timezone.now()
    states = dict(Task.objects.filter(project=project).values_list("state").annotate(n=Count("pk")))
    rates, cut = _rates(project.public_id, now)
    prelabelled = Prelabel.objects.filter(set__project=project).values("item").distinct().count()
    last = Release.objects.filter(project=project, state="done").order_by("-number").first()
    counts = {
        "imported": Item.objects.filter(project=project).count(),
        "prelabelled": prelabelled,
        "labelling": states.get("ready", 0) + states.get("labelling", 0) + states.get("returned", 0),
        "compared": states.get("compare", 0),
        "disputed": states.get("disputed", 0),
        "checked": states.get("check", 0),
        "accepted": states.get("accepted", 0),
        "released": _released(last),
    }
    flow = [
        {
            "step": step,
            "n": counts[step],
            "waits": step in WAITS,
            "hour": sum(rates[verb] for verb in PASSED[step]) if step in PASSED else None,
        }
        for step in STEPS
    ]
    wait = _widest(project, flow, now)
    for row in flow:
        row["widest"] = wait is not None and row["step"] == wait["step"]
    head = ChainHead.objects.filter(chain=project.public_id).values_list("seq", flat=True).first() or 0
    return {
        "flow": flow,
        "cut": cut,
        "wait": wait,
        "set_aside": states.get("set_aside", 0),
        "stuck": Task.objects.filter(project=project)
        .exclude(stuck="")
        .exclude(state__in=("accepted", "set_aside"))
        .count(),
        "returned": states.get("returned", 0),
        "seq": head,
    }


def _released(last: Release | None) -> int:
    if last is None:
        return 0
    n = last.counts.get("items", 0)
    return n if isinstance(n, int) else 0


def _widest(project: Project, flow: list[dict[str, Any]], now: datetime) -> dict[str, Any] | None:
    """The step at which most tasks wait: how many, who could take them, seconds at the last hour's rate."""
    waiting = [row for row in flow if row["waits"] and row["n"]]
    if not waiting:
        return None
    row = max(enumerate(waiting), key=lambda one: (one[1]["n"], one[0]))[1]  # of equals, the later step
    role = ROLE_OF_STEP.get(row["step"])
    stage = {"labelling": "label", "disputed": "arbitrate", "checked": "check"}.get(row["step"])
    roles = Member.objects.filter(project=project, active=True, account__is_active=True).values_list(
        "roles", flat=True
    )
    active = 0
    if stage is not None:
        recent = now - timedelta(minutes=15)
        active = (
            Assignment.objects.filter(project=project, stage=stage)
            .filter(Q(claimed_at__gte=recent) | Q(saved_at__gte=recent) | Q(submitted_at__gte=recent))
            .values("person")
            .distinct()
            .count()
        )
    hour = row["hour"] or 0
    return {
        "step": row["step"],
        "n": row["n"],
        "role": role,
        "people": sum(role in r for r in roles) if role else None,
        "active": active,
        "seconds": round(3600 * row["n"] / hour) if hour else None,
    }


def people_of(project: Project, now: datetime) -> list[dict[str, Any]]:
    """Who works: submitted in all and today, active time, seats held, last seen; leads only see this."""
    day = now - timedelta(hours=24)
    rows = (
        Assignment.objects.filter(project=project)
        .values("account")
        .annotate(
            submitted=Count("pk", filter=Q(submitted_at__isnull=False)),
            today=Count("pk", filter=Q(submitted_at__gte=day)),
            ms=Sum("active_ms", filter=Q(submitted_at__gte=day)),
            held=Count("pk", filter=Q(state__in=LIVE, lease_until__gt=now)),
            saved=Max("saved_at"),
            sent=Max("submitted_at"),
            claimed=Max("claimed_at"),
        )
    )
    work = {row["account"]: row for row in rows}
    people = []
    for member in (
        Member.objects.select_related("account", "team").filter(project=project, active=True).order_by("pk")
    ):
        row = work.get(member.account_id, {})
        seen = [row[name] for name in ("saved", "sent", "claimed") if row.get(name)]
        today = row.get("today", 0)
        people.append(
            {
                "member": member,
                "submitted": row.get("submitted", 0),
                "today": today,
                "held": row.get("held", 0),
                "mean_s": round((row.get("ms") or 0) / 1000 / today) if today else None,
                "seen": max(seen) if seen else None,
            }
        )
    return people


def jobs_of(project: Project, limit: int = 12) -> list[Job]:
    """Unfinished jobs first, then the newest finished ones."""
    unfinished = list(
        Job.objects.filter(project=project, state__in=("queued", "running")).order_by("-id")[:limit]
    )
    rest = Job.objects.filter(project=project).exclude(state__in=("queued", "running")).order_by("-id")
    return unfinished + list(rest[: max(0, limit - len(unfinished))])
