"""Routes of this wing's pages."""

from __future__ import annotations

from django.urls import URLPattern

from review.pages import lots, quality, queues

urlpatterns: list[URLPattern] = [*queues.urlpatterns, *lots.urlpatterns, *quality.urlpatterns]
