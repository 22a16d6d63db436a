"""Routes of the API of the wing that judges."""

from __future__ import annotations

from django.urls import URLPattern

from review.api import checks, disputes, lots, report

urlpatterns: list[URLPattern] = [
    *disputes.urlpatterns,
    *checks.urlpatterns,
    *lots.urlpatterns,
    *report.urlpatterns,
]
