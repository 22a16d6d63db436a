"""Pages "Disputes" (worst first) and "Checks": what waits, and the button that takes the next one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path

from annotator.pages.base import Page
from review.pages.words import KINDS, WAYS
from review.queries.lists import check_rows, dispute_rows

SHOWN = 100
"""Rows on one page; the queue hands them out in this order, so nobody needs to leaf through it."""


class Disputes(Page):
    """Open disputes, the worst class first."""

    actions: ClassVar[dict[str, str]] = {"GET": "disputes.list"}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The list."""
        assert self.project and self.member
        rows, more = dispute_rows(self.project, self.member, None, SHOWN)
        shown = [row["json"] for row in rows]
        for row in shown:
            row["kinds"] = [(KINDS.get(kind, kind), n) for kind, n in row["kinds"].items()]
            row["shown_key"] = self._key(row)
        return self.show("review/disputes.html", rows=shown, more=more, may_start=self.may("claim.arbitrate"))

    def _key(self, row: dict[str, Any]) -> str:
        """An item's key where the project shows it, or to a lead; else its id: keys of files can tell the
        answer."""
        return str(row["key"] if row["key"] is not None else row["item"])


class Checks(Disputes):
    """Tasks that wait for a check, in the queue's order."""

    actions: ClassVar[dict[str, str]] = {"GET": "checks.list"}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The list."""
        assert self.project and self.member
        rows, more = check_rows(self.project, self.member, None, SHOWN)
        shown = [row["json"] for row in rows]
        for row in shown:
            row["way"] = WAYS.get(row["way"], row["way"])
            row["shown_key"] = self._key(row)
        return self.show("review/checks.html", rows=shown, more=more, may_start=self.may("claim.check"))


urlpatterns = [
    path("p/<str:project>/disputes", Disputes.as_view(), name="disputes"),
    path("p/<str:project>/checks", Checks.as_view(), name="checks"),
]
