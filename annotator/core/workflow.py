"""The workflow document, format 1: defaults, checks, and what changed between two. Pure."""

from __future__ import annotations

from typing import Any

from annotator.core.errors import Invalid

DEFAULTS: dict[str, Any] = {
    "format": 1,
    "slots": 2,
    "slots_share": 1.0,
    "lease_s": 1800,
    "grace_s": 120,
    "park_s": 86400,
    "skip_per_day": 20,
    "compare": {"iou": 0.85, "edge_px": 2, "match_iou": 0.5, "class_a_to": "expert", "class_bc_to": "expert"},
    "add_person": {"enabled": False, "max": 3},
    "check": None,
    "return_h": 24,
    "show_accepted": False,
    "expose_ok": False,
    "prelabels": "shown",
    "shown_fields": [],
    "use_lots": False,
    "appeal_days": 7,
}
WHOLE = {  # field: (smallest, largest)
    "slots": (1, 10),
    "lease_s": (60, 7 * 86400),
    "grace_s": (0, 86400),
    "park_s": (60, 30 * 86400),
    "skip_per_day": (0, 1000),
    "return_h": (0, 24 * 30),
    "appeal_days": (0, 365),
}
FLAGS = ("show_accepted", "expose_ok", "use_lots")
ROUTES = ("expert",)


def _number(value: Any, low: float, high: float, field: str, whole: bool = False) -> None:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise Invalid(
            "out_of_range", "This number is outside its range.", field=field, lowest=low, highest=high
        )


def _known(value: Any, names: dict[str, Any], field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=field)
    for name in value:
        if name not in names:
            raise Invalid(
                "unknown_field", "This field is not known here.", field=f"{field}.{name}".strip(".")
            )
    return value


def complete(partial: Any, base: dict[str, Any] | None = None) -> dict[str, Any]:
    """The whole document: `partial` over `base` (or the defaults). Raises Invalid with the field's path."""
    given = _known(partial, DEFAULTS, "")
    whole = {**DEFAULTS, **(base or {}), **given}
    if whole["format"] != 1 or isinstance(whole["format"], bool):
        raise Invalid("bad_format", "The format of a workflow is 1.", field="format")
    for field, (low, high) in WHOLE.items():
        _number(whole[field], low, high, field, whole=True)
    _number(whole["slots_share"], 0, 1, "slots_share")
    for field in FLAGS:
        if not isinstance(whole[field], bool):
            raise Invalid("not_a_flag", "true or false is wanted here.", field=field)
    if whole["prelabels"] not in ("shown", "none", "mixed"):
        raise Invalid("unknown_choice", "The value is not one of those allowed here.", field="prelabels")
    if not isinstance(whole["shown_fields"], list) or not all(
        isinstance(one, str) for one in whole["shown_fields"]
    ):
        raise Invalid("not_a_list", "A list is wanted here.", field="shown_fields")
    compare = {
        **DEFAULTS["compare"],
        **((base or {}).get("compare") or {}),
        **_known(given.get("compare", {}), DEFAULTS["compare"], "compare"),
    }
    _number(compare["iou"], 0, 1, "compare.iou")
    _number(compare["match_iou"], 0, 1, "compare.match_iou")
    _number(compare["edge_px"], 0, 1000, "compare.edge_px")
    for field in ("class_a_to", "class_bc_to"):
        if compare[field] not in ROUTES:
            raise Invalid(
                "unknown_choice", "The value is not one of those allowed here.", field=f"compare.{field}"
            )
    whole["compare"] = compare
    more = {
        **DEFAULTS["add_person"],
        **((base or {}).get("add_person") or {}),
        **_known(given.get("add_person", {}), DEFAULTS["add_person"], "add_person"),
    }
    if not isinstance(more["enabled"], bool):
        raise Invalid("not_a_flag", "true or false is wanted here.", field="add_person.enabled")
    _number(more["max"], 1, 10, "add_person.max", whole=True)
    whole["add_person"] = more
    if whole["check"] is not None:
        check = {"share": 1.0, **_known(whole["check"], {"share": 1.0}, "check")}
        _number(check["share"], 0, 1, "check.share")
        whole["check"] = check
    return whole
