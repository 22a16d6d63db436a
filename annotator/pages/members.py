"""Page: members and access of a project."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _

from annotator.actions import members
from annotator.api.errors import status_of
from annotator.core.errors import ConcordError
from annotator.pages.base import Page, field_errors
from annotator.pages.words import ROLE_HINTS, ROLES
from annotator.queries.members import members_of, open_invitations, teams_of


class MembersPage(Page):
    """Who is in, in which roles and team; add, change, remove, invite."""

    actions: ClassVar[dict[str, str]] = {"GET": "members.read", "POST": "members.edit"}

    def _page(self, status: int = 200, **more: Any) -> HttpResponse:
        assert self.project
        context = {
            "members": members_of(self.project),
            "teams": teams_of(self.project),
            "roles": ROLES,
            "role_hints": ROLE_HINTS,
            "invitations": open_invitations(self.project),
            "errors": {},
            "given": {},
            **more,
        }
        return self.show("members.html", status=status, **context)

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        return self._page()

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """One of its forms."""
        assert self.actor and self.project
        form, given = request.POST.get("form", ""), request.POST
        common: dict[str, Any] = {"actor": self.actor, "project": self.project, "request": self.request_id}
        try:
            if form == "add":
                members.add_member(
                    username=given.get("username", ""),
                    roles=given.getlist("roles"),
                    team=given.get("team", ""),
                    **common,
                )
                messages.success(request, _("The member is added. The roles count at once."))
            elif form == "change":
                members.change_member(
                    account=given.get("account", ""),
                    roles=given.getlist("roles"),
                    team=given.get("team", ""),
                    **common,
                )
                messages.success(request, _("The change counts at once."))
            elif form == "remove":
                members.remove_member(account=given.get("account", ""), **common)
                messages.success(request, _("The member is removed; what was submitted stays."))
            elif form == "invite":
                hours = given.get("hours", "")
                whole = hours.isdecimal() and len(hours) < 7
                made = members.invite(
                    roles=given.getlist("roles"), hours=int(hours) if whole else 0, **common
                )
                # Shown in this answer only: a redirect would have to store the secret somewhere.
                return self._page(
                    link=request.build_absolute_uri(made["url"]), link_expires=made["expires_at"]
                )
            elif form == "withdraw":
                number = given.get("invitation", "")
                whole = number.isdecimal() and len(number) < 19
                members.withdraw_invitation(invitation=int(number) if whole else 0, **common)
                messages.success(request, _("The link no longer works."))
        except ConcordError as error:
            errors = field_errors(error, {"username", "roles", "team", "hours"})
            return self._page(
                status=status_of(error),
                errors=errors,
                given=given,
                wrong_form=form,
                wrong_account=given.get("account", ""),
            )
        return redirect("members", project)


urlpatterns = [path("p/<str:project>/members", MembersPage.as_view(), name="members")]
