"""Routes of the foundation's pages, in one list a file."""

from importlib import import_module

from django.urls import URLPattern

# Each module under annotator/pages that holds pages has `urlpatterns`; add its name here.
PAGES = (
    "session",
    "desk",
    "bench",
    "project",
    "members",
    "events",
    "releases",
    "operator",
    "items",
    "schema",
)

urlpatterns: list[URLPattern] = []
for _name in PAGES:
    urlpatterns += import_module(f"annotator.pages.{_name}").urlpatterns
