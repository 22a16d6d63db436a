"""Words of roles, stages, steps and states for pages, and the catalogue that scripts get with the page."""

from __future__ import annotations

import gettext as standard
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

ROLES = {
    "lead": _("Lead"),
    "expert": _("Expert"),
    "checker": _("Checker"),
    "annotator": _("Annotator"),
    "importer": _("Importer"),
    "viewer": _("Viewer"),
}
ROLE_HINTS = {
    "lead": _("sees and sets up everything in this project"),
    "expert": _("settles disputes"),
    "checker": _("checks what was agreed"),
    "annotator": _("labels tasks, blind to colleagues"),
    "importer": _("a program that imports, by token"),
    "viewer": _("sees progress and releases, no names"),
}
STAGES = {
    "label": _("Label tasks"),
    "check": _("Check"),
    "arbitrate": _("Arbitrate"),
    "lot": _("Judge a lot"),
}
STEPS = {
    "imported": _("Imported"),
    "prelabelled": _("Prelabelled"),
    "labelling": _("Labelling"),
    "compared": _("Compared"),
    "disputed": _("Disputed"),
    "checked": _("Checked"),
    "accepted": _("Accepted"),
    "released": _("Released"),
}
STEP_HINTS = {
    "imported": _("items so far"),
    "prelabelled": _("items so far"),
    "labelling": _("tasks to label now"),
    "compared": _("tasks in comparison now"),
    "disputed": _("tasks that wait for an expert"),
    "checked": _("tasks that wait for a checker"),
    "accepted": _("tasks so far"),
    "released": _("tasks in the newest release"),
}
JOB_STATES = {
    "queued": _("queued"),
    "running": _("running"),
    "done": _("done"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
}
JOB_KINDS = {
    "import": _("Import"),
    "check_assets": _("Read files"),
    "bulk": _("Change of items"),
    "release": _("Release"),
    "migrate_labels": _("Migrate labels"),
    "delete_project": _("Remove a project"),
    "prelabel.run_rule": _("Run a rule"),
    "prelabel.train": _("Train a model"),
    "prelabel.run_model": _("Run a model"),
}
COUNTS = {"items": _("Items"), "assets": _("Files"), "regions": _("Objects")}  # of a release
RELEASE_STATES = {"making": _("being made"), "done": _("done"), "failed": _("failed")}
PROCESS_STATES = {
    "running": _("running"),
    "stopped": _("stopped"),
    "waiting": _("waiting to start again"),
    "done": _("done"),
    "failed": _("failed"),
}


@lru_cache(maxsize=8)
def _read(path: str, mtime_ns: int) -> dict[str, Any]:
    with open(path, "rb") as file:
        translations = standard.GNUTranslations(file)
    catalogue: dict[str, Any] = {}
    for key, text in translations._catalog.items():  # type: ignore[attr-defined]
        if isinstance(key, tuple):
            msgid, form = key
            forms = catalogue.setdefault(msgid, [])
            if isinstance(forms, list):
                forms.extend([""] * (form + 1 - len(forms)))
                forms[form] = text
        elif key:
            catalogue.setdefault(key, text)
    return catalogue


def script_catalogue(language: str) -> dict[str, Any]:
    """{"catalog": {id: text | [forms]}} for the page's scripts; empty in English, whose ids are the words."""
    folder = {"zh-hans": "zh_Hans"}.get(language)
    if folder is None:
        return {"catalog": {}}
    path = Path(settings.LOCALE_PATHS[0]) / folder / "LC_MESSAGES" / "djangojs.mo"
    try:
        mtime = path.stat().st_mtime_ns
    except OSError:
        return {"catalog": {}}
    return {"catalog": _read(str(path), mtime)}
