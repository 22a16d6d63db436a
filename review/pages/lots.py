"""Pages "Spot check": the lots of a project, what their plans buy, and the page on which drawn items are
judged."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotator.api.errors import status_of
from annotator.core.errors import ConcordError, NotFound
from annotator.pages.base import Page, field_errors
from review.actions.judge_lot import close_lot, judge_member, void_lot
from review.actions.make_lot import DEFAULT_QUALITY, DEFAULT_SHARE, commit_lot, freeze_lot
from review.core.sampling import fixed_fraction
from review.models import Lot, LotMember
from review.pages.words import ERROR_TYPES, LOT_STATES, WAYS, figure, percent
from review.queries.lots import for_judge, lot_json, strata
from review.queries.preview import drawn

SHOWN = 50


def titled(title: Any) -> str:
    """A title of the schema in the reader's language."""
    if isinstance(title, dict):
        main = (get_language() or "en").split("-")[0]
        return str(title.get(main) or title.get("en") or next(iter(title.values()), ""))
    return str(title)


class Lots(Page):
    """The lots; leads make, freeze, decide and void them, judges find what to judge."""

    actions: ClassVar[dict[str, str]] = {"GET": "lots.judge", "POST": "lots.edit"}

    def _show(
        self, errors: dict[str, str] | None = None, status: int = 200, given: Any = None
    ) -> HttpResponse:
        assert self.project and self.actor
        lead = self.may("lots.edit")
        rows = []
        found = Lot.objects.filter(project=self.project)
        if not lead:
            found = found.filter(state="judging")
        for lot in found.order_by("-pk")[:SHOWN]:
            to_judge = for_judge(lot, self.actor).count() if lot.state == "judging" else 0
            rows.append(self._row(lot, to_judge) if lead else {"lot": lot, "to_judge": to_judge})
        kinds = [
            {**row, "way_title": WAYS.get(row["way"], row["way"]), "id": f"{row['schema']}/{row['way']}"}
            for row in (strata(self.project) if lead else ())
        ]
        for kind in kinds:
            kind["buys"] = self._buys(fixed_fraction.what_it_buys(self._plan(kind["n"])))
        return self.show(
            "review/lots.html",
            status=status,
            rows=rows,
            lead=lead,
            kinds=kinds,
            states=LOT_STATES,
            errors=errors or {},
            given=given or {"share": DEFAULT_SHARE, "quality": DEFAULT_QUALITY},
        )

    @staticmethod
    def _plan(size: int) -> fixed_fraction.Plan:
        return fixed_fraction.plan(size, DEFAULT_SHARE, DEFAULT_QUALITY)

    @staticmethod
    def _buys(buys: dict[str, Any]) -> dict[str, Any]:
        """The plan's record with its shares as text. In a small lot several shares are one and the same
        count of wrong items: `points` names each count once."""
        curve = [
            {"share": percent(row["share"]), "wrong": row["wrong"], "passes": percent(row["passes"])}
            for row in buys["operating_characteristic"]
        ]
        return {
            **buys,
            "curve": curve,
            "points": list({row["wrong"]: row for row in curve}.values()),
            "sure": None if buys["confidence"] is None else percent(buys["confidence"]),
            "quality": percent(buys["quality"]),
            "at_quality": percent(buys["passes_at_quality"]),
        }

    def _row(self, lot: Lot, to_judge: int) -> dict[str, Any]:
        body = lot_json(lot)
        if "buys" in body:
            body["buys"] = self._buys(body["buys"])
            interval = body["interval"]
            wrong = None if lot.found is None else lot.found / lot.n
            body["wrong_share"] = figure({"value": wrong, "n": lot.n, "interval": interval})
        body["way_title"] = WAYS.get(body["params"].get("way"), "")
        return {"lot": lot, "json": body, "to_judge": to_judge, "state": LOT_STATES.get(lot.state, lot.state)}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        return self._show()

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """One of the forms: make, freeze, verdict, void."""
        assert self.actor and self.project
        form = request.POST
        try:
            if form.get("form") == "make":
                self._make(form)
            else:
                self._act(form)
        except ConcordError as error:
            return self._show(field_errors(error, set()), status_of(error), form)
        return redirect("lots", self.project.public_id)

    def _make(self, form: Any) -> None:
        assert self.actor and self.project
        schema, _slash, way = form.get("stratum", "").partition("/")
        commit_lot(
            actor=self.actor,
            project=self.project,
            name=form.get("name", ""),
            share=form.get("share", ""),
            quality=form.get("quality", ""),
            schema=schema or None,
            way=way or None,
            request=self.request_id,
        )
        messages.success(
            self.request,
            _(
                "The seed is committed. Freeze the lot when no more tasks shall join it; then the "
                "sample is drawn."
            ),
        )

    def _act(self, form: Any) -> None:
        assert self.actor
        lot = (
            Lot.objects.select_related("project")
            .filter(project=self.project, public_id=form.get("lot", ""))
            .first()
        )
        if lot is None:
            raise NotFound()
        if form.get("form") == "freeze":
            freeze_lot(actor=self.actor, lot=lot, request=self.request_id)
        elif form.get("form") == "verdict":
            close_lot(actor=self.actor, lot=lot, request=self.request_id)
        elif form.get("form") == "void":
            void_lot(actor=self.actor, lot=lot, reason=form.get("reason", ""), request=self.request_id)
        else:
            raise NotFound()


class Judge(Page):
    """The next drawn item of a lot: the accepted document on its item, right or wrong with a class."""

    actions: ClassVar[dict[str, str]] = {"GET": "lots.judge", "POST": "lots.judge"}

    def _lot(self, lot: str) -> Lot:
        found = Lot.objects.select_related("project").filter(project=self.project, public_id=lot).first()
        if found is None:
            raise NotFound()
        return found

    def _show(self, lot: Lot, errors: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
        assert self.actor
        waiting = for_judge(lot, self.actor)
        member = waiting.first() if lot.state == "judging" else None
        view = drawn(member.task, member.accepted) if member else None
        if view:
            for picture in view["pictures"]:
                for shape in picture["shapes"]:
                    shape["title"] = titled(shape["title"])
            for text in view["texts"]:
                for piece in text:
                    piece["labels"] = ", ".join(titled(label) for label in piece["labels"])
            for answer in view["answers"]:
                answer["title"] = titled(answer["title"])
        return self.show(
            "review/judge.html",
            status=status,
            lot=lot,
            member_row=member,
            view=view,
            left=waiting.count() if lot.state == "judging" else 0,
            error_types=ERROR_TYPES,
            errors=errors or {},
            state=LOT_STATES.get(lot.state, lot.state),
        )

    def get(self, request: HttpRequest, project: str, lot: str) -> HttpResponse:
        """The next one."""
        return self._show(self._lot(lot))

    def post(self, request: HttpRequest, project: str, lot: str) -> HttpResponse:
        """Judge it; then the next one."""
        assert self.actor and self.project
        found = self._lot(lot)
        form = request.POST
        member = (
            LotMember.objects.select_related("lot__project", "task")
            .filter(lot=found, drawn=True, task__public_id=form.get("task", ""))
            .first()
        )
        if member is None:
            raise NotFound()
        severity = form.get("severity", "")
        try:
            judge_member(
                actor=self.actor,
                member=member,
                verdict="wrong" if severity else form.get("verdict", ""),
                severity=severity,
                error_type=form.get("error_type", "") if severity else "",
                note=form.get("note", ""),
                request=self.request_id,
            )
        except ConcordError as error:
            return self._show(found, field_errors(error, set()), status_of(error))
        return redirect("judge-lot", self.project.public_id, found.public_id)


urlpatterns = [
    path("p/<str:project>/lots", Lots.as_view(), name="lots"),
    path("p/<str:project>/lots/<str:lot>/judge", Judge.as_view(), name="judge-lot"),
]
