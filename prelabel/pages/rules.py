"""Page "Rules and models": a form for each installed rule, made from its declared parameters; runs;
training; scores."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotator import jobs
from annotator.api.errors import status_of
from annotator.core.errors import ConcordError, NotFound
from annotator.models import Job
from annotator.pages.base import Page
from prelabel.actions.run_rule import run_rule
from prelabel.actions.save_rule import save_rule
from prelabel.actions.train_model import run_model, train_model
from prelabel.models import ModelVersion, RuleVersion
from prelabel.queries import overview
from prelabel.rules import RULES

KINDS = {
    "boxes": gettext_lazy("Boxes"),
    "masks": gettext_lazy("Masks"),
    "text_class": gettext_lazy("Class of a text"),
}
MEASURES = {
    "ap50": gettext_lazy("AP at IoU 0.5"),
    "mask_iou": gettext_lazy("Mean IoU of pixels"),
    "accuracy": gettext_lazy("Share right"),
}
STATES = {
    "training": gettext_lazy("in training"),
    "ready": gettext_lazy("ready"),
    "worse": gettext_lazy("kept, not used: worse than the version before"),
    "failed": gettext_lazy("failed"),
}
REASONS = {
    "not_a_number": gettext_lazy("not a number"),
    "outside": gettext_lazy("outside the picture"),
    "too_small": gettext_lazy("too small"),
    "unknown_label": gettext_lazy("label not in the schema"),
    "unknown_shape": gettext_lazy("shape not in the schema"),
    "unknown_answer": gettext_lazy("answer not in the schema"),
    "bad_score": gettext_lazy("score not between 0 and 1"),
    "bad_quote": gettext_lazy("quote differs from the text"),
    "over_limit": gettext_lazy("over the limit of an item"),
    "too_slow": gettext_lazy("expression took too long"),
    "text_too_long": gettext_lazy("text too long"),
    "picture_too_large": gettext_lazy("picture too large"),
    "out_of_memory": gettext_lazy("out of memory"),
    "already_begun": gettext_lazy("labelling has begun"),
    "taught_the_model": gettext_lazy("the model learned from it or from its group"),
    "no_asset": gettext_lazy("no file of the right kind"),
    "too_large": gettext_lazy("picture too large"),
    "unreadable": gettext_lazy("file cannot be read"),
}


def parameters_of(form: Any, rule: str) -> dict[str, Any]:
    """The parameters of a posted form, typed as the rule declares them; what cannot be read is passed on to
    be refused."""
    values: dict[str, Any] = {}
    for parameter in RULES.get(rule).PARAMETERS:
        field = f"param.{parameter.name}"
        if parameter.kind == "lines":
            prefix = f"{field}."
            values[parameter.name] = {
                name[len(prefix) :]: text.splitlines()
                for name, text in form.items()
                if name.startswith(prefix)
            }
        elif parameter.kind == "flag":
            values[parameter.name] = field in form
        elif field in form and form[field].strip():
            raw = form[field].strip()
            values[parameter.name] = (
                _number(raw, parameter.kind) if parameter.kind in ("integer", "number") else raw
            )
    return values


def _number(raw: str, kind: str) -> Any:
    try:
        return int(raw) if kind == "integer" else float(raw)
    except ValueError:
        return raw


def counted(reasons: dict[str, int]) -> list[dict[str, Any]]:
    """Reasons with their counts in the reader's words."""
    return [{"what": str(REASONS.get(name, name)), "n": n} for name, n in reasons.items() if n]


def result_of(run: dict[str, Any] | None, pending: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the newest finished run of a rule or a model did."""
    job = run["job"] if run else None
    if run is None or pending is not None:
        return None
    result = (job or {}).get("result") or {}
    return {
        "items": run["items"],
        "regions": run["regions"],
        "at": run["at"],
        "state": (job or {}).get("state", "done"),
        "dropped": counted(result.get("dropped", {})),
        "skipped": counted(result.get("skipped", {})),
        "error": error_of(job),
    }


def error_of(job: dict[str, Any] | None) -> str:
    """The sentence of a failed job."""
    fault = (job or {}).get("error") or {}
    return " ".join(_(fault[name]) for name in ("message", "cure") if fault.get(name))


class Rules(Page):
    """GET shows, POST saves a rule and may run it at once."""

    actions: ClassVar[dict[str, str]] = {"GET": "rules.read", "POST": "rules.edit"}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        return self.page()

    def post(self, request: HttpRequest, project: str) -> HttpResponse:
        """Save; with the second button also run."""
        assert self.project and self.actor
        rule = request.POST.get("rule", "")
        try:
            params = parameters_of(request.POST, rule)
            saved = save_rule(
                actor=self.actor,
                project=self.project,
                rule=rule,
                params=params,
                name=request.POST.get("name", ""),
                request=self.request_id,
            )
            messages.success(request, _("Saved: %(name)s, version %(number)s.") % saved)
            if "run" in request.POST:
                self.run_saved(saved["id"])
        except ConcordError as error:
            return self.page(error, rule)
        return redirect("rules", self.project.public_id)

    def run_saved(self, public_id: str) -> None:
        """The job of a rule that was just saved."""
        from annotator import access

        access.require(self.actor, "rules.run", self.member)
        assert self.actor
        found = RuleVersion.objects.select_related("project").get(public_id=public_id)
        run_rule(actor=self.actor, rule=found, request=self.request_id)

    def page(self, error: ConcordError | None = None, rule: str = "") -> HttpResponse:
        """The page, with what was wrong in a posted form."""
        assert self.project
        saved = overview.rules(self.project)
        models = overview.models(self.project)
        titles = {rule_id: _(plugin.TITLE) for rule_id, plugin in RULES.items()}
        for entry in saved:
            entry["title"] = titles.get(entry["rule"], entry["rule"])
            entry["outcome"] = result_of(entry["run"], entry["pending"])
        for entry in models:
            self.dress(entry)
        latest = {entry["name"]: entry["params"] for entry in reversed(saved)}
        forms = []
        for entry in overview.available(self.project):
            posted = self.request.POST if error is not None and entry["rule"] == rule else None
            forms.append(self.form(entry, latest.get(entry["rule"], {}), posted, error))
        train = overview.trainable(self.project)
        for entry in train:
            entry["title"] = KINDS[entry["kind"]]
        return self.show(
            "prelabel/rules.html",
            status=status_of(error) if error is not None else 200,
            rules=saved,
            models=models,
            forms=forms,
            trainable=train,
            models_state=overview.models_state(),
            fault=" ".join(_(text) for text in (error.message, error.cure) if text)
            if error and not rule
            else "",
        )

    @staticmethod
    def dress(entry: dict[str, Any]) -> None:
        """Words and figures of one model version."""
        score = entry["metrics"].get("score") or {}
        previous = entry["metrics"].get("previous") or {}
        entry["title"] = KINDS.get(entry["kind"], entry["kind"])
        entry["state_title"] = STATES.get(entry["state"], entry["state"])
        entry["measure"] = MEASURES.get(str(score.get("measure")), score.get("measure", ""))
        entry["score"] = score
        entry["previous"] = previous if previous.get("compared") else None
        entry["outcome"] = result_of(entry["run"], entry["pending"])
        entry["error"] = error_of(entry["job"]) if entry["state"] == "failed" else ""
        entry["training"] = (
            entry["job"]
            if entry["state"] == "training"
            and entry["job"]
            and entry["job"]["state"] in ("queued", "running")
            else None
        )

    def form(
        self, entry: dict[str, Any], known: dict[str, Any], posted: Any, error: ConcordError | None
    ) -> dict[str, Any]:
        """One rule's form: its fields with values as posted, as saved last, or by default."""
        fields = []
        names = {parameter["name"] for parameter in entry["parameters"]}
        for parameter in entry["parameters"]:
            field = dict(parameter)
            name = f"param.{parameter['name']}"
            field["field"], field["id"] = name, f"{entry['rule']}-{parameter['name']}".replace(".", "-")
            field["title"], field["help"] = (
                _(parameter["title"]),
                _(parameter["help"]) if parameter.get("help") else "",
            )
            value = known.get(parameter["name"], parameter["default"])
            if parameter["kind"] == "lines":
                lines = value or {}
                field["lines"] = [
                    {
                        "key": key,
                        "field": f"{name}.{key}",
                        "text": posted.get(f"{name}.{key}", "")
                        if posted is not None
                        else "\n".join(lines.get(key, [])),
                    }
                    for key in entry["line_keys"]
                ]
            elif parameter["kind"] == "flag":
                field["value"] = name in posted if posted is not None else bool(value)
            else:
                field["value"] = posted.get(name, "") if posted is not None else value
                if parameter["kind"] in ("label", "control"):
                    offered = entry["labels"] if parameter["kind"] == "label" else entry["controls"]
                    field["options"] = [{"name": one, "title": one} for one in offered]
                elif parameter["kind"] == "option":
                    field["options"] = [
                        {"name": o["name"], "title": _(o["title"])} for o in parameter["options"]
                    ]
            if posted is not None and error is not None and error.field == parameter["name"]:
                field["wrong"] = _(error.message)
            fields.append(field)
        out = {
            "rule": entry["rule"],
            "title": _(entry["title"]),
            "help": _(entry["help"]),
            "usable": entry["usable"],
            "fields": fields,
            "open": posted is not None,
            "name": posted.get("name", "") if posted is not None else "",
            "wrong": "",
        }
        if posted is not None and error is not None and error.field not in names:
            out["wrong"] = " ".join(_(text) for text in (error.message, error.cure) if text)
        return out


class _Act(Page):
    """A form's target that does one thing and comes back to the page; an error is shown there."""

    def act(self, **kwargs: Any) -> str:
        """Does it; returns the sentence to show."""
        raise NotImplementedError

    def post(self, request: HttpRequest, project: str, **kwargs: Any) -> HttpResponse:
        """Act, then back."""
        assert self.project
        try:
            messages.success(request, self.act(**kwargs))
        except NotFound:
            raise
        except ConcordError as error:
            messages.error(request, " ".join(_(text) for text in (error.message, error.cure) if text))
        return redirect("rules", self.project.public_id)


class RunRule(_Act):
    """A saved rule prelabels the tasks that wait."""

    actions: ClassVar[dict[str, str]] = {"POST": "rules.run"}

    def act(self, **kwargs: Any) -> str:
        rule = (
            RuleVersion.objects.select_related("project")
            .filter(project=self.project, public_id=kwargs["rule"])
            .first()
        )
        if rule is None:
            raise NotFound()
        assert self.actor
        run_rule(actor=self.actor, rule=rule, request=self.request_id)
        return _("The rule is at work.")


class Train(_Act):
    """Train a model of a kind."""

    actions: ClassVar[dict[str, str]] = {"POST": "models.train"}

    def act(self, **kwargs: Any) -> str:
        assert self.actor and self.project
        train_model(
            actor=self.actor,
            project=self.project,
            kind=self.request.POST.get("kind", ""),
            control=self.request.POST.get("control") or None,
            request=self.request_id,
        )
        return _("The model is being trained.")


class RunModel(_Act):
    """A trained model prelabels the tasks that wait."""

    actions: ClassVar[dict[str, str]] = {"POST": "models.run"}

    def act(self, **kwargs: Any) -> str:
        model = (
            ModelVersion.objects.select_related("project")
            .filter(project=self.project, public_id=kwargs["model"])
            .first()
        )
        if model is None:
            raise NotFound()
        assert self.actor
        run_model(actor=self.actor, model=model, request=self.request_id)
        return _("The model is at work.")


class Cancel(_Act):
    """Stop a run or a training of this wing."""

    actions: ClassVar[dict[str, str]] = {"POST": "rules.run"}

    def act(self, **kwargs: Any) -> str:
        job = Job.objects.filter(
            project=self.project, public_id=kwargs["job"], kind__startswith="prelabel."
        ).first()
        if job is None:
            raise NotFound()
        jobs.cancel(actor=self.actor, job=job, request=self.request_id)
        return _("It is being stopped. What was written stays.")


urlpatterns = [
    path("p/<str:project>/rules", Rules.as_view(), name="rules"),
    path("p/<str:project>/rules/<str:rule>/run", RunRule.as_view(), name="rule-run"),
    path("p/<str:project>/rules/jobs/<str:job>/cancel", Cancel.as_view(), name="rules-cancel"),
    path("p/<str:project>/models/train", Train.as_view(), name="model-train"),
    path("p/<str:project>/models/<str:model>/run", RunModel.as_view(), name="model-run"),
]
