"""Routes of this wing's API, in one list a resource file."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern

# Each module under prelabel/api that holds a resource has `urlpatterns`.
RESOURCES = ("rules", "models", "assist")

urlpatterns: list[URLPattern] = []
for _name in RESOURCES:
    urlpatterns += import_module(f"prelabel.api.{_name}").urlpatterns
