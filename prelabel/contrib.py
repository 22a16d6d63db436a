"""What this wing contributes to the site: access rows, navigation, the project panel, kinds of jobs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from annotator import access, jobs
from annotator.access import ANNOTATOR, CHECKER, EXPERT, LEAD
from annotator.contributions import NavigationEntry, Panel, site

ROWS = {
    "rules.read": access.row(LEAD),
    "rules.edit": access.row(LEAD),
    "rules.run": access.row(LEAD),
    "models.read": access.row(LEAD),
    "models.train": access.row(LEAD),
    "models.run": access.row(LEAD),
    "assist.use": access.row(
        LEAD, EXPERT, CHECKER, ANNOTATOR, note="own live seat, its item's pictures only"
    ),
}


def late(place: str) -> Callable[[jobs.Ticket], dict[str, Any] | None]:
    """A handler found by name when it runs, so that the web process never imports what it needs (torch,
    scipy)."""
    module, _colon, name = place.partition(":")

    def handler(ticket: jobs.Ticket) -> dict[str, Any] | None:
        found: Callable[[jobs.Ticket], dict[str, Any] | None] = getattr(import_module(module), name)
        return found(ticket)

    return handler


def _panel(project: Any) -> dict[str, Any]:
    from prelabel.queries.overview import panel

    return panel(project)


def _names_model(digest: str) -> bool:
    from prelabel.models import ModelVersion

    return ModelVersion.objects.filter(sha256=digest).exists()


def register() -> None:
    """Called once in `AppConfig.ready`."""
    from prelabel.actions.train_model import forget

    access.contribute(ROWS)
    site.blob_names.append(_names_model)
    site.navigation.append(NavigationEntry("rules", "Rules and models", "rules", "rules.read", 40))
    site.panels.append(Panel("prelabel", "prelabel/panel.html", "rules.read", 40, _panel))
    jobs.register("prelabel.run_rule", "io", late("prelabel.actions.run_rule:run"))
    jobs.register("prelabel.train", "model", late("prelabel.training.job:run"), undo=forget)
    jobs.register("prelabel.run_model", "model", late("prelabel.serve.job:run"))
