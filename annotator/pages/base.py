"""The base of every page view: finds the project, asks `access`, renders with the page's navigation.

The twin of `annotator.api.base.Door` for people. A page names its action for each method in `actions`;
a stranger gets 404, a member without the right 403, somebody not signed in the sign-in page.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from django.views import View

from annotator import access
from annotator.contributions import site
from annotator.core.errors import ConcordError, NotFound, Unauthenticated
from annotator.models import Account, Member, Project


def signed_in(request: HttpRequest) -> Account | None:
    """The request's account, if it is signed in and active."""
    user = getattr(request, "user", None)
    return user if isinstance(user, Account) and user.is_active else None


def navigation(member: Member | None, project: Project, path: str) -> list[dict[str, Any]]:
    """The project's links that this member may follow, in order; `here` marks the page shown."""
    links = []
    for entry in sorted(site.navigation, key=lambda e: e.order):
        if not access.may(member.account if member else None, entry.action, member):
            continue
        try:
            url = reverse(entry.url_name, args=[project.public_id])
        except NoReverseMatch:
            continue  # contributed ahead of its page
        links.append({"name": entry.name, "title": gettext(entry.title), "url": url, "here": path == url})
    return links


class Page(View):
    """One page. After `setup`: self.actor, and with a project self.project and self.member."""

    actions: ClassVar[dict[str, str]] = {}
    public = False
    request: HttpRequest
    actor: Account | None = None
    project: Project | None = None
    member: Member | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Authenticate, find, authorise; then the method."""
        self.actor = signed_in(request)
        action = self.actions.get("GET" if request.method == "HEAD" else request.method or "")
        if action is None:
            return self.http_method_not_allowed(request)
        if self.actor is None and not self.public:
            raise Unauthenticated("not_signed_in", "You are not signed in.", cure="Sign in, then try again.")
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise NotFound()  # PostgreSQL holds no U+0000, so nothing is named so
        project_id = self.locate(**kwargs)
        if project_id is not None:
            self.project, self.member = access.membership(self.actor, project_id)
        access.require(self.actor, action, self.member)
        return super().dispatch(request, *args, **kwargs)

    def locate(self, **kwargs: Any) -> str | None:
        """The public id of the project of the page's object; pages of other objects override this."""
        return kwargs.get("project")

    def may(self, action: str) -> bool:
        """Whether the reader may do this here."""
        return access.may(self.actor, action, self.member)

    @property
    def request_id(self) -> str:
        """The id that events of this request carry."""
        return getattr(self.request, "concord_id", "")

    def show(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        """Render; `project`, `member` and `links` are what base.html needs for the navigation."""
        if self.project is not None:
            context = {
                "project": self.project,
                "member": self.member,
                "links": navigation(self.member, self.project, self.request.path),
                **context,
            }
        return render(self.request, template, context, status=status)


def field_errors(error: ConcordError, known: set[str]) -> dict[str, str]:
    """An error as {field: sentence} for a form; what belongs to no field of it stands under "form"."""
    text = gettext(error.message)
    if error.cure:
        text = f"{text} {gettext(error.cure)}"
    place = f" ({error.field})" if error.field and error.field not in known else ""
    return {error.field if error.field in known else "form": text + place}
