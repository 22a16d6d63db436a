"""Reads: the panel of this wing on the lead's project page. Four counts, each over an index."""

from __future__ import annotations

from typing import Any

from annotator.models import Member, Project, Task
from review.models import Dispute, Lot


def panel(project: Project) -> dict[str, Any]:
    waiting = Dispute.objects.filter(project=project, state="open")
    roles = [
        set(row)
        for row in Member.objects.filter(project=project, active=True).values_list("roles", flat=True)
    ]
    return {
        "n_experts": sum("expert" in row for row in roles),
        "n_checkers": sum(bool(row & {"checker", "expert"}) for row in roles),
        "disputes": waiting.count(),
        "disputes_a": waiting.filter(worst="A").count(),
        "checks": Task.objects.filter(project=project, state="check").count(),
        "comparing": Task.objects.filter(project=project, state="compare").count(),
        "lots_open": Lot.objects.filter(project=project, state="judging").count(),
    }
