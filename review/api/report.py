"""The quality report of a project as JSON."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.cache import cache
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door
from annotator.models import Project
from review.queries.quality import moment, quality_report

PAGE_REPEATS = 500
"""Bootstrap repeats of what is shown live; a release takes four times as many."""


def live_report(project: Project) -> dict[str, Any]:
    """The report at the chain's head, kept until the next event."""
    seq = moment(project).seq
    key = f"quality:{project.public_id}:{seq}"
    report = cache.get(key)
    if report is None:
        report = quality_report(project, seq=seq, repeats=PAGE_REPEATS)
        cache.set(key, report, 600)
    return dict(report)


class Report(Door):
    """GET = the report now."""

    actions: ClassVar[dict[str, str]] = {"GET": "report.read"}

    def get(self, request: Request, project: str) -> Response:
        """The report."""
        assert self.project
        return Response(live_report(self.project))


urlpatterns = [path("projects/<str:project>/report", Report.as_view())]
