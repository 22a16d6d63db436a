"""Reads: the quality report at the chain's head, kept in the process until the next event."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache

from annotator.models import Project
from review.queries.quality import moment, quality_report

PAGE_REPEATS = 500
"""Bootstrap repeats of what is shown live; a release takes four times as many."""
KEPT_S = 600


def live_report(project: Project) -> dict[str, Any]:
    """The report now."""
    seq = moment(project).seq
    key = f"quality:{project.public_id}:{seq}"
    report = cache.get(key)
    if report is None:
        report = quality_report(project, seq=seq, repeats=PAGE_REPEATS)
        cache.set(key, report, KEPT_S)
    return dict(report)
