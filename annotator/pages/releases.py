"""Page: releases of a project - list, files, and the form that makes one."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _

from annotator import access
from annotator.api.errors import status_of
from annotator.core.errors import ConcordError
from annotator.models import AcceptedDocument, Job, Release
from annotator.pages.base import Page, field_errors
from annotator.pages.words import COUNTS, JOB_STATES, RELEASE_STATES


class ReleasesPage(Page):
    """Immutable snapshots and their files."""

    actions: ClassVar[dict[str, str]] = {"GET": "releases.read", "POST": "releases.create"}

    def _page(self, errors: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
        assert self.project
        lead = access.may(self.actor, "releases.names", self.member)
        rows = []
        for release in (
            Release.objects.filter(project=self.project).select_related("created_by").order_by("-number")[:50]
        ):
            files = [
                {"name": name, **about}
                for name, about in sorted(release.files.items())
                if lead or about.get("audience") == "all"
            ]
            done = release.counts if release.state == "done" else {}
            facts = [(title, done[name]) for name, title in COUNTS.items() if name in done]
            labels = sorted(done.get("by_label", {}).items())
            rows.append(
                {
                    "facts": facts,
                    "labels": labels,
                    "release": release,
                    "files": files,
                    "bytes": sum(f.get("size", 0) for f in files),
                }
            )
        jobs = Job.objects.filter(
            project=self.project, kind="release", state__in=("queued", "running")
        ).order_by("-id")[:5]
        return self.show(
            "releases.html",
            status=status,
            rows=rows,
            jobs=jobs,
            errors=errors or {},
            states=RELEASE_STATES,
            job_states=JOB_STATES,
            may_create=access.may(self.actor, "releases.create", self.member),
            lead=lead,
            accepted=AcceptedDocument.objects.filter(task__project=self.project, current=True).count(),
            name=self.request.POST.get("name", ""),
        )

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        return self._page()

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """Ask for a release; a job makes it."""
        assert self.actor and self.project
        from annotator.actions.publish_release import publish_release

        try:
            publish_release(
                actor=self.actor,
                project=self.project,
                name=request.POST.get("name", "").strip(),
                request=self.request_id,
            )
        except ConcordError as error:
            return self._page(field_errors(error, {"name"}), status_of(error))
        messages.success(request, _("The release is being made."))
        return redirect("releases", project)


urlpatterns = [path("p/<str:project>/releases", ReleasesPage.as_view(), name="releases")]
