"""The quality report of a project as JSON."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.api.base import Door
from review.queries.live import live_report


class Report(Door):
    """GET = the report now."""

    actions: ClassVar[dict[str, str]] = {"GET": "report.read"}

    def get(self, request: Request, project: str) -> Response:
        """The report."""
        return Response(live_report(self.project))


urlpatterns = [path("projects/<str:project>/report", Report.as_view())]
