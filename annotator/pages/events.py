"""Page: the event log of a project, and whether its chain holds."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path

from annotator import anchors
from annotator.pages.base import Page
from annotator.queries import events

LIMIT = 100


class EventsPage(Page):
    """Newest first; by task, by verb. POST verifies the chain."""

    actions: ClassVar[dict[str, str]] = {"GET": "events.read", "POST": "events.read"}

    def _page(self, **more: Any) -> HttpResponse:
        assert self.project
        query = self.request.GET
        before = query.get("before", "")
        task, verb = query.get("task", "").strip()[:32], query.get("verb", "").strip()[:50]
        chain = self.project.public_id
        rows = events.newest(
            chain, LIMIT + 1, int(before) if before.isdecimal() and len(before) < 19 else None, task, verb
        )
        shown = rows[:LIMIT]
        names = events.names_of({row["actor"] for row in shown})
        for row in shown:
            row["who"] = names.get(row["actor"], "")
            row["text"] = json.dumps(row["data"], ensure_ascii=False, sort_keys=True) if row["data"] else ""
        head, digest = events.head_of(chain)
        return self.show(
            "events.html",
            rows=shown,
            task=task,
            verb=verb,
            head=head,
            digest=digest,
            older=shown[-1]["seq"] if len(rows) > LIMIT else None,
            **more,
        )

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The table."""
        return self._page()

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """The table with the answer of the check: every digest is computed again."""
        read, faults = anchors.verify(project)
        return self._page(verified=True, read=read, fault=faults[0] if faults else None)


urlpatterns = [path("p/<str:project>/events", EventsPage.as_view(), name="events")]
