"""Reads of a workflow document's figures that a deployment may override."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from annotator.core.workflow import DEFAULTS


def grace_s(workflow: dict[str, Any]) -> int:
    """Seconds in which an author may withdraw; CONCORD_GRACE_S overrides all workflows (tests set 0)."""
    return int(workflow.get("grace_s", DEFAULTS["grace_s"])) if settings.GRACE_S is None else settings.GRACE_S
