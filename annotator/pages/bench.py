"""Page: the bench's shell. One JSON block hands everything over to the workbench's script."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import path, reverse
from django.utils.translation import get_language

from annotator import access
from annotator.contributions import site
from annotator.core.errors import NotFound
from annotator.models import Assignment
from annotator.pages.base import Page
from annotator.queries.work import seat_of, work_of


class Bench(Page):
    """One own seat on the bench, of any stage; a seat of somebody else does not exist."""

    actions: ClassVar[dict[str, str]] = {"GET": "seat.own"}
    seat: Assignment

    def locate(self, **kwargs: str) -> str | None:
        """The project of the own seat. Raises NotFound."""
        assert self.actor
        seat = seat_of(self.actor, kwargs["assignment"])
        if seat is None:
            raise NotFound()
        self.seat = seat
        return seat.project.public_id

    def get(self, request: HttpRequest, assignment: str) -> HttpResponse:
        """The shell. Nothing here depends on a colleague's work."""
        assert self.actor and self.project
        if self.seat.stage != "label":  # it shows colleagues' work: only to who may still do this
            access.require(self.actor, site.claim_action(self.seat.stage), self.member)
        project = self.project.public_id
        boot = {
            "work": work_of(self.seat),
            "language": "zh" if (get_language() or "").startswith("zh") else "en",
            "theme": self.actor.theme,
            "keys": self.actor.keys,
            "csrf": get_token(request),
            "account": {"id": self.actor.public_id, "name": self.actor.shown_name},
            "urls": {
                "api": "/api",
                "desk": reverse("desk"),
                "signIn": reverse("sign-in"),
                "signOut": reverse("sign-out"),
                "profile": reverse("profile"),
                "bench": "/bench/",
                "claims": f"/api/projects/{project}/claims",
                "start": reverse("start", args=[project, self.seat.stage]),
            },
        }
        return self.show("bench.html", boot=boot, links=[])


urlpatterns = [path("bench/<str:assignment>", Bench.as_view(), name="bench")]
