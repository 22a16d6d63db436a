"""Page: the lead's view of a project - flow, widest wait, people, jobs, contributed panels, settings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator import jobs
from annotator.actions import projects
from annotator.api.errors import status_of
from annotator.contributions import site
from annotator.core.errors import ConcordError, NotFound
from annotator.models import Job
from annotator.pages.base import Page, field_errors
from annotator.pages.words import JOB_KINDS, JOB_STATES, ROLES, STEP_HINTS, STEPS
from annotator.queries import project_page


def live_context(page: Page) -> dict[str, Any]:
    """What the live part of the page shows; names of people only to whoever may know them."""
    assert page.project
    lead = page.may("project.edit")
    return {
        "project": page.project,
        "progress": project_page.progress_of(page.project),
        "steps": STEPS,
        "hints": STEP_HINTS,
        "roles": ROLES,
        "job_states": JOB_STATES,
        "job_kinds": JOB_KINDS,
        "people": project_page.people_of(page.project, timezone.now()) if lead else None,
        "jobs": project_page.jobs_of(page.project) if lead else None,
        "may_edit": lead,
    }


class ProjectPage(Page):
    """The page."""

    actions: ClassVar[dict[str, str]] = {"GET": "project.progress", "POST": "project.edit"}

    def _page(self, errors: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
        assert self.project
        panels = []
        for panel in sorted(site.panels, key=lambda p: p.order):
            if self.may(panel.action):
                html = render_to_string(
                    panel.template, {"project": self.project, **panel.context(self.project)}, self.request
                )
                panels.append({"name": panel.name, "html": html})
        return self.show(
            "project.html",
            status=status,
            panels=panels,
            errors=errors or {},
            workflow=self.project.workflow.document if self.project.workflow else {},
            **live_context(self),
        )

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        return self._page()

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """Settings: title, pause, workflow, delete; by the form's name."""
        assert self.actor and self.project
        form = request.POST.get("form", "")
        try:
            if form == "delete":
                projects.delete_project(
                    actor=self.actor,
                    project=self.project,
                    title=request.POST.get("confirm", ""),
                    request=self.request_id,
                )
                messages.success(
                    request, _("The project “%(title)s” is deleted.") % {"title": self.project.title}
                )
                return redirect("desk")
            if form == "pause":
                projects.edit_project(
                    actor=self.actor,
                    project=self.project,
                    paused=request.POST.get("paused") == "1",
                    request=self.request_id,
                )
            elif form == "settings":
                projects.edit_project(
                    actor=self.actor,
                    project=self.project,
                    title=request.POST.get("title", ""),
                    description=request.POST.get("description", ""),
                    request=self.request_id,
                )
                messages.success(request, _("The settings are saved."))
            elif form == "workflow":
                projects.edit_project(
                    actor=self.actor,
                    project=self.project,
                    workflow=_workflow(request),
                    request=self.request_id,
                )
                messages.success(
                    request, _("The workflow is saved. Tasks that are imported from now on follow it.")
                )
        except ConcordError as error:
            known = {"title", "description", *(f"workflow.{name}" for name in WORKFLOW_FIELDS)}
            if form == "delete":
                error.field = "confirm" if error.field == "title" else error.field
                known = {"confirm"}
            return self._page(
                {k.replace(".", "_"): v for k, v in field_errors(error, known).items()}, status_of(error)
            )
        return redirect("project", project)


WORKFLOW_FIELDS = {
    "slots": 1,
    "slots_share": 0.01,
    "lease_s": 60,
    "grace_s": 1,
    "return_h": 1,
    "skip_per_day": 1,
    "compare.iou": 0.01,
    "compare.edge_px": 1,
    "compare.match_iou": 0.01,
    "check.share": 0.01,
}  # field: what one unit of the form's input is worth (per cent, minutes)


def _number(text: str, unit: float) -> float | int | str:
    try:
        value = float(text) * unit
    except ValueError:
        return text  # refused by the verb, with the field
    return int(round(value)) if unit >= 1 else round(value, 6)


def _workflow(request: HttpRequest) -> dict[str, Any]:
    """The form's inputs as a partial workflow document."""
    given: dict[str, Any] = {}
    compare: dict[str, Any] = {}
    for field, unit in WORKFLOW_FIELDS.items():
        text = request.POST.get(field)
        if text is None or field == "check.share":
            continue
        if field.startswith("compare."):
            compare[field.removeprefix("compare.")] = _number(text, unit)
        else:
            given[field] = _number(text, unit)
    if compare:
        given["compare"] = compare
    if request.POST.get("prelabels"):
        given["prelabels"] = request.POST["prelabels"]
    for flag in ("use_lots", "show_accepted"):
        given[flag] = flag in request.POST
    given["check"] = (
        {"share": _number(request.POST.get("check.share", "100"), 0.01)} if "check" in request.POST else None
    )
    given["shown_fields"] = [
        name.strip() for name in request.POST.get("shown_fields", "").split(",") if name.strip()
    ]
    return given


class Live(Page):
    """The part of the page that changes, fetched again after each frame of the socket."""

    actions: ClassVar[dict[str, str]] = {"GET": "project.progress"}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """A fragment."""
        return self.show("parts/project_live.html", **live_context(self))


class CancelJob(Page):
    """Ask a job of the project to stop."""

    actions: ClassVar[dict[str, str]] = {"POST": "jobs.cancel"}

    def post(self, request: HttpRequest, project: str, job: str) -> HttpResponse:
        """Back to the page. An importer may cancel own jobs only."""
        assert self.actor
        found = Job.objects.select_related("project").filter(public_id=job, project=self.project).first()
        if found is None or (not self.may("project.edit") and found.created_by_id != self.actor.pk):
            raise NotFound()
        jobs.cancel(actor=self.actor, job=found, request=self.request_id)
        messages.info(request, _("The job was asked to stop."))
        return redirect("project", project)


urlpatterns = [
    path("p/<str:project>", ProjectPage.as_view(), name="project"),
    path("p/<str:project>/live", Live.as_view(), name="project-live"),
    path("p/<str:project>/jobs/<str:job>/cancel", CancelJob.as_view(), name="cancel-job"),
]
