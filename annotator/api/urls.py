"""Routes of the foundation's API, in one list a resource file."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern

# Each module under annotator/api that holds a resource has `urlpatterns`.
RESOURCES = (
    "openapi",
    "seats",
    "session",
    "accounts",
    "projects",
    "members",
    "releases",
    "schemas",
    "assets",
    "imports",
    "jobs",
    "items",
    "batches",
)

urlpatterns: list[URLPattern] = []
for _name in RESOURCES:
    urlpatterns += import_module(f"annotator.api.{_name}").urlpatterns
