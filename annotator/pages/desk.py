"""Pages: the desk, starting work on a stage, and making a project."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotator import access
from annotator.actions import claim_task
from annotator.actions.projects import create_project
from annotator.api.errors import status_of
from annotator.contributions import site
from annotator.core import templates
from annotator.core.errors import ConcordError
from annotator.models import Account
from annotator.pages.base import Page, field_errors
from annotator.pages.words import ROLES, STAGES
from annotator.queries import desk
from annotator.queries.next_task import candidate


def in_language(title: dict[str, str] | str) -> str:
    """A title of a schema or template in the reader's language."""
    if isinstance(title, str):
        return title
    main = (get_language() or "en").split("-")[0]
    return title.get(main) or title.get("en") or next(iter(title.values()), "")


class Desk(Page):
    """My projects, what waits for me in each stage, and why nothing waits."""

    actions: ClassVar[dict[str, str]] = {"GET": "account.self"}

    def get(self, request: HttpRequest) -> HttpResponse:
        """The desk."""
        assert self.actor
        now = timezone.now()
        held = {(seat.project_id, seat.stage): seat for seat in reversed(desk.held_seats(self.actor, now))}
        counts, returned = desk.own_counts(self.actor, now), desk.returned_to(self.actor, now)
        cards = []
        for member in desk.memberships(self.actor):
            project = member.project
            own = counts.get(project.pk, {})
            card = desk.DeskProject(
                project,
                member,
                submitted_today=own.get("today", 0),
                submitted=own.get("submitted", 0),
                active_ms_today=own.get("active_ms", 0),
            )
            for stage in desk.stages_of(member):
                wait = desk.Waiting(stage, seat=held.get((project.pk, stage)))
                if stage == "label":
                    wait.returned = returned.get(project.pk, 0)
                    workflow = project.workflow.document if project.workflow else {}
                    # The claim's own rule, so that the desk never promises what the claim then refuses.
                    wait.anything = not project.paused and (
                        wait.returned > 0 or candidate(project, member, workflow) is not None
                    )
                    if not wait.anything and not wait.seat:
                        wait.reason = (
                            {"code": "paused", "message": "The project is paused."}
                            if project.paused
                            else claim_task.why_empty(project, member, now)
                        )
                else:
                    policy = site.claim_policies[stage]
                    wait.n = policy.waiting(project, self.actor)
                    wait.anything = wait.n > 0
                    if not wait.anything and not wait.seat:
                        wait.reason = policy.empty(project, self.actor)
                card.stages.append(wait)
            cards.append(card)
        return self.show(
            "desk.html",
            cards=cards,
            stages=STAGES,
            roles=ROLES,
            feedback=desk.own_feedback(self.actor),
            parked=desk.parked_drafts(self.actor),
            may_create=access.may(self.actor, "projects.create"),
            leads={c.project.pk for c in cards if access.may(self.actor, "project.progress", c.member)},
        )


class Start(Page):
    """Claim the next task of a stage and go to its bench, or say why there is none."""

    actions: ClassVar[dict[str, str]] = {"POST": "project.read"}

    def post(self, request: HttpRequest, project: str, stage: str) -> HttpResponse:
        """To the bench, or back to the desk with the reason."""
        assert self.actor and self.project and self.member
        access.require(self.actor, site.claim_action(stage), self.member)
        answer = claim_task.claim_task(
            actor=self.actor, project=self.project, member=self.member, stage=stage, request=self.request_id
        )
        if answer["assignment"] is None:
            messages.info(request, f"{self.project.title}: {_(answer['reason']['message'])}")
            return redirect("desk")
        return redirect("bench", answer["assignment"])


class NewProject(Page):
    """Make a project from a template."""

    actions: ClassVar[dict[str, str]] = {"GET": "projects.create", "POST": "projects.create"}

    def _form(self, errors: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
        offered = []
        for name in templates.names():
            one = templates.template(name)
            offered.append(
                {"name": name, "title": in_language(one["title"]), "about": in_language(one["about"])}
            )
        given = self.request.POST
        chosen = given.get("template", offered[0]["name"])
        return self.show(
            "new_project.html",
            status=status,
            errors=errors or {},
            offered=offered,
            chosen=chosen,
            title=given.get("title", ""),
            lead=given.get("lead", ""),
            description=given.get("description", ""),
            accounts=Account.objects.filter(is_active=True).order_by("username")[:500],
        )

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form."""
        return self._form()

    def post(self, request: HttpRequest) -> HttpResponse:
        """The new project's page, if its maker leads it; else the operator's page."""
        assert self.actor
        try:
            made = create_project(
                actor=self.actor,
                title=request.POST.get("title", ""),
                description=request.POST.get("description", ""),
                template=request.POST.get("template", ""),
                lead=request.POST.get("lead") or None,
                request=self.request_id,
            )
        except ConcordError as error:
            return self._form(
                field_errors(error, {"title", "lead", "template", "description"}), status_of(error)
            )
        messages.success(
            request,
            _("The project “%(title)s” is made. Next: its schema, then its items.")
            % {"title": made["title"]},
        )
        mine = any(m.project.public_id == made["id"] for m in desk.memberships(self.actor))
        return redirect("project", made["id"]) if mine else redirect("operator")


urlpatterns = [
    path("", Desk.as_view(), name="desk"),
    path("projects/new", NewProject.as_view(), name="new-project"),
    path("p/<str:project>/start/<str:stage>", Start.as_view(), name="start"),
]
