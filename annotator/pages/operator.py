"""Page: what the operator of the site needs - accounts, projects' existence, processes, jobs. No content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator.actions import accounts
from annotator.api.errors import status_of
from annotator.core.errors import ConcordError
from annotator.models import Account, Job, Project
from annotator.pages.base import Page, field_errors
from annotator.pages.words import JOB_KINDS, JOB_STATES, PROCESS_STATES

PAGE = 100


def processes() -> dict[str, Any] | None:
    """What the supervisor last wrote of its processes; None when there is no supervisor."""
    try:
        state = json.loads((Path(settings.DATA) / "run" / "state.json").read_text())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


class OperatorPage(Page):
    """Accounts, processes and jobs of the site."""

    actions: ClassVar[dict[str, str]] = {"GET": "site.operate", "POST": "accounts.manage"}

    def _page(self, status: int = 200, **more: Any) -> HttpResponse:
        after = self.request.GET.get("after", "")[:150]
        find = self.request.GET.get("find", "").strip()[:150]
        rows = (
            Account.objects.order_by("username").filter(username__gt=after)
            if after
            else Account.objects.order_by("username")
        )
        if find:
            rows = rows.filter(username__icontains=find)
        found = list(rows[: PAGE + 1])
        context = {
            "accounts": found[:PAGE],
            "after": found[PAGE - 1].username if len(found) > PAGE else "",
            "find": find,
            "n_projects": Project.objects.filter(deleted_at=None).count(),
            "processes": processes(),
            "process_states": PROCESS_STATES,
            "jobs": Job.objects.select_related("project").order_by("-id")[:20],
            "job_states": JOB_STATES,
            "job_kinds": JOB_KINDS,
            "errors": {},
            "given": {},
            "now": timezone.now(),
            **more,
        }
        return self.show("operator.html", status=status, **context)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """One of its forms."""
        assert self.actor
        form, given = request.POST.get("form", ""), request.POST
        try:
            if form == "create":
                made = accounts.create_account(
                    actor=self.actor,
                    username=given.get("username", ""),
                    name=given.get("name", ""),
                    operator="operator" in given,
                    request=self.request_id,
                )
                # Links are shown in this answer only: a redirect would have to store the secret somewhere.
                return self._page(
                    link=request.build_absolute_uri(made["link"]),
                    link_for=made["account"]["username"],
                    link_expires=made["expires_at"],
                )
            account = accounts.find_account(given.get("account", ""))
            if form == "reset":
                made = accounts.reset_link(actor=self.actor, account=account, request=self.request_id)
                return self._page(
                    link=request.build_absolute_uri(made["link"]),
                    link_for=account.username,
                    link_expires=made["expires_at"],
                )
            if form == "active":
                accounts.set_active(
                    actor=self.actor,
                    account=account,
                    active=given.get("active") == "1",
                    request=self.request_id,
                )
                messages.success(request, _("The account is changed."))
        except ConcordError as error:
            return self._page(
                status=status_of(error), errors=field_errors(error, {"username", "name"}), given=given
            )
        return redirect("operator")


urlpatterns = [path("operator", OperatorPage.as_view(), name="operator")]
