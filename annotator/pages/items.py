"""Page: items of a project as table and grid, with filters, saved views, bulk actions, upload and import."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotator import jobs as job_actions
from annotator.actions.bulk_items import bulk_items
from annotator.actions.saved_views import drop_view, keep_view
from annotator.api.base import make_cursor
from annotator.core.errors import ConcordError, Forbidden, Invalid
from annotator.models import Batch, Job
from annotator.pages.base import Page, field_errors
from annotator.pages.words import JOB_KINDS, JOB_STATES
from annotator.queries import items as queries
from annotator.queries.items import FILTERS, ItemFilter
from annotator.queries.jobs import find_job, job_body, sees

PAGE_SIZE = 50
GRID_SIZE = 60
JOBS_SHOWN = ("import", "check_assets", "bulk")
STATES = {
    "ready": gettext_lazy("ready"),
    "labelling": gettext_lazy("being labelled"),
    "compare": gettext_lazy("in comparison"),
    "disputed": gettext_lazy("disputed"),
    "check": gettext_lazy("waits for a check"),
    "returned": gettext_lazy("returned"),
    "accepted": gettext_lazy("accepted"),
    "set_aside": gettext_lazy("set aside"),
}
SORTS = {
    "order": gettext_lazy("oldest first"),
    "newest": gettext_lazy("newest first"),
    "-score": gettext_lazy("highest score first"),
    "score": gettext_lazy("lowest score first"),
}
BULK = {
    "priority": gettext_lazy("Set priority"),
    "tag": gettext_lazy("Add a tag"),
    "untag": gettext_lazy("Take a tag off"),
    "set_aside": gettext_lazy("Set aside"),
    "restore": gettext_lazy("Restore"),
    "requeue": gettext_lazy("Offer again"),
}


def _shown_jobs(project: Any) -> list[dict[str, Any]]:
    """The last jobs of this page, unfinished ones first."""
    rows = Job.objects.filter(project=project, kind__in=JOBS_SHOWN).order_by("-id")[:8]
    found = []
    for row in rows:
        body = job_body(row)
        body["kind_title"] = JOB_KINDS.get(row.kind, row.kind)
        body["state_title"] = JOB_STATES.get(row.state, row.state)
        body["open"] = row.state in ("queued", "running")
        found.append(body)
    return sorted(found, key=lambda one: not one["open"])


class ItemsPage(Page):
    """The list; its forms filter (GET), act on many items, keep views, stop jobs."""

    actions: ClassVar[dict[str, str]] = {"GET": "items.list", "POST": "items.bulk"}

    def _wanted(self, given: Any) -> ItemFilter:
        return ItemFilter.read({name: given[name].strip() for name in FILTERS if given.get(name)})

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page. A filter that means nothing is told and left out, so that a stale link still opens."""
        assert self.project and self.member
        problem = ""
        try:
            wanted = self._wanted(request.GET)
        except Invalid as error:
            wanted, problem = ItemFilter(), " ".join(field_errors(error, set()).values())
        sort = request.GET.get("sort", "order")
        sort = sort if sort in queries.SORTS else "order"
        grid = request.GET.get("look") == "grid"
        cursor = _cursor(request.GET.get("cursor", ""))
        try:
            rows, following = queries.list_items(
                self.project, wanted, sort=sort, cursor=cursor, limit=GRID_SIZE if grid else PAGE_SIZE
            )
        except Invalid:
            cursor = None
            rows, following = queries.list_items(self.project, wanted, sort=sort, limit=PAGE_SIZE)
        project_total = queries.project_total(self.project)
        total, capped = wanted.count(self.project, project_total)
        for row in rows:
            row["state_title"] = STATES.get(row["task"]["state"], row["task"]["state"])
        kept = {
            **wanted.as_dict(),
            **({"sort": sort} if sort != "order" else {}),
            **({"look": "grid"} if grid else {}),
        }
        return self.show(
            "items.html", rows=rows, total=total, total_capped=capped, project_total=project_total, wanted=wanted,
            sort=sort, grid=grid, sorts=SORTS, states={**STATES, "stuck": gettext_lazy("stuck")}, problem=problem,
            batches=list(Batch.objects.filter(project=self.project).order_by("-id")[:200]),
            tags=queries.tags_of(self.project), bulk=BULK, first=cursor is None,
            next_url=f"?{urlencode({**kept, 'cursor': make_cursor(following)})}" if following else "",
            first_url=f"?{urlencode(kept)}",
            table_url="?" + urlencode({k: v for k, v in kept.items() if k != "look"}),
            grid_url="?" + urlencode({**kept, "look": "grid"}),
            here=request.get_full_path(), jobs=_shown_jobs(self.project),
            views=[
                {**view, "url": "?" + urlencode({**view["filter"], "sort": view["sort"]})}
                for view in queries.saved_views(self.member)
            ],
            may_import=self.may("imports.create"),
        )  # fmt: skip

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """One of its forms; back to the same list."""
        assert self.project and self.member and self.actor
        given = request.POST
        try:
            form = given.get("form", "")
            if form == "bulk":
                self._bulk(given)
            elif form == "view":
                sort = given.get("sort", "order")
                keep_view(
                    actor=self.actor,
                    member=self.member,
                    name=given.get("name", ""),
                    wanted=self._wanted(given),
                    sort=sort if sort in queries.SORTS else "order",
                    request=self.request_id,
                )
                messages.success(request, _("The view is kept for you."))
            elif form == "drop_view":
                drop_view(
                    actor=self.actor, member=self.member, name=given.get("name", ""), request=self.request_id
                )
            elif form == "cancel":
                job = find_job(given.get("job", ""))
                if job.project_id != self.project.pk or not sees(self.member, job):
                    raise Forbidden("not_allowed", "Your role in this project does not allow this.")
                job_actions.cancel(actor=self.actor, job=job, request=self.request_id)
                messages.success(request, _("The job stops at its next step. What it did so far stays."))
        except ConcordError as error:
            messages.error(request, " ".join(field_errors(error, set()).values()))
        back = given.get("back", "")
        here = reverse("items", args=[self.project.public_id])
        return redirect(back if back.partition("?")[0] == here else here)

    def _bulk(self, given: Any) -> None:
        assert self.project and self.actor
        action, value = given.get("action", ""), given.get("value", "").strip()
        sent: Any = value
        if action == "priority":
            try:
                sent = int(value)
            except ValueError:
                raise Invalid(
                    "bad_priority", "priority is a whole number from -100,000 to 100,000."
                ) from None
        if given.get("scope") == "all":
            wanted = self._wanted(given)
        else:
            wanted = ItemFilter(ids=tuple(given.getlist("ids")))
            if not wanted.ids:
                raise Invalid(
                    "nothing_chosen", "No item is chosen.", cure="Tick some, or choose all that match."
                )
        answer = bulk_items(
            actor=self.actor,
            project=self.project,
            wanted=wanted,
            action=action,
            value=sent,
            request=self.request_id,
        )
        n = answer["count"]
        messages.success(
            self.request,
            ngettext("One job is changing %(n)d item.", "One job is changing %(n)d items.", n) % {"n": n},
        )


def _cursor(raw: str) -> list[Any] | None:
    """The decoded cursor of a link; None for a damaged one (the list then begins at its start)."""
    import base64
    import json

    try:
        value = json.loads(base64.urlsafe_b64decode(raw.encode() + b"=" * (-len(raw) % 4))) if raw else None
    except (ValueError, UnicodeError):
        return None
    return value if isinstance(value, list) else None


urlpatterns = [path("p/<str:project>/items", ItemsPage.as_view(), name="items")]
