"""Page "Quality": five indicators with n and interval, agreement by measure and label, lots, checks,
turnaround."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext

from annotator.pages.base import Page
from review.pages.words import ERROR_TYPES, INDICATORS, KINDS, LOT_STATES, MEASURES, OUTCOMES, figure
from review.queries.live import live_report


class Quality(Page):
    """The report now."""

    actions: ClassVar[dict[str, str]] = {"GET": "report.read"}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        assert self.project
        report = live_report(self.project)
        indicators = report["indicators"]
        rows = [
            {"title": title, "about": gettext(report["definitions"][name]), **figure(indicators[name])}
            for name, title in INDICATORS.items()
        ]
        consistency = indicators["consistency"]
        measures = [
            {"title": MEASURES.get(name, name), **self._pairs(value)}
            for name, value in consistency["other_measures"].items()
        ]
        shown = [
            {"title": MEASURES.get(name, name), **self._pairs(value)}
            for name, value in consistency["concordance_under_prelabel"].items()
        ]
        labels = [
            {"title": name, **self._pairs(value)} for name, value in consistency["f1_iou_by_label"].items()
        ]
        covered = indicators["coverage"].get("items_by_label", {})
        checks = report["checks"]
        return self.show(
            "review/quality.html",
            rows=rows,
            measures=measures,
            under_prelabel=shown,
            labels=labels,
            covered=covered,
            event=report["event"],
            turnaround={
                name: 3600 * value
                for name, value in report["turnaround_hours"].items()
                if name in ("median", "p90")
            },
            turnaround_n=report["turnaround_hours"].get("n", 0),
            differences=[(KINDS.get(kind, kind), n) for kind, n in report["differences"]["by_kind"].items()],
            check_rate=figure(checks["first_pass_rate"]),
            outcomes=[(OUTCOMES.get(name, name), n) for name, n in checks["outcomes"].items()],
            errors_found=[(ERROR_TYPES.get(name, name), n) for name, n in checks["error_types"].items()],
            lots=[{**lot, "state": LOT_STATES.get(lot["verdict"], lot["verdict"])} for lot in report["lots"]],
            outgoing=figure(indicators["accuracy"]["outgoing_quality"]),
        )

    @staticmethod
    def _pairs(value: dict[str, Any]) -> dict[str, Any]:
        return {
            **figure(value),
            "groups": value.get("groups", 0),
            "undefined": sum(value["undefined_pairs"].values()),
        }


urlpatterns = [path("p/<str:project>/quality", Quality.as_view(), name="quality")]
