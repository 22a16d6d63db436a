"""Reads of a workflow document's figures, with their defaults in one place."""

from __future__ import annotations

from typing import Any

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    "format": 1,
    "slots": 2,
    "slots_share": 1.0,
    "lease_s": 1800,
    "grace_s": 120,
    "park_s": 86400,
    "skip_per_day": 20,
    "return_h": 24,
    "check": None,
    "prelabels": "shown",
    "expose_ok": False,
    "show_accepted": False,
    "shown_fields": ["external_key"],
    "use_lots": False,
    "appeal_days": 7,
    "compare": {"iou": 0.85, "edge_px": 2, "match_iou": 0.5, "class_a_to": "expert", "class_bc_to": "expert"},
    "add_person": {"enabled": False, "max": 3},
}


def grace_s(workflow: dict[str, Any]) -> int:
    """Seconds in which an author may withdraw; a deployment may override it (tests set 0)."""
    return int(workflow.get("grace_s", DEFAULTS["grace_s"])) if settings.GRACE_S is None else settings.GRACE_S
