"""Short makers of documents and rules for the tests of the judging core. Ids are of the product's form."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

SCHEMA: dict[str, Any] = {
    "format": 1,
    "title": "test",
    "controls": [
        {
            "name": "objects",
            "kind": "regions",
            "shapes": ["box", "polygon", "mask", "span"],
            "asset": "image",
        },
        {
            "name": "light",
            "kind": "choice",
            "title": "light",
            "options": [{"name": "day"}, {"name": "night"}],
        },
        {"name": "kinds", "kind": "choices", "title": "kinds", "options": [{"name": "x"}, {"name": "y"}]},
        {"name": "note", "kind": "text", "title": "note"},
    ],
    "labels": [
        {"name": "leak", "title": "leak", "class": "A", "attributes": []},
        {
            "name": "coin",
            "title": "coin",
            "class": "B",
            "attributes": [
                {
                    "name": "side",
                    "kind": "choice",
                    "required": True,
                    "options": [{"name": "h"}, {"name": "t"}],
                },
                {"name": "worn", "kind": "flag", "required": False},
            ],
        },
        {"name": "dust", "title": "dust", "class": "C", "attributes": []},
    ],
    "constraints": [],
}
WORKFLOW: dict[str, Any] = {"compare": {"iou": 0.85, "edge_px": 2, "match_iou": 0.5}}


def rid(name: str) -> str:
    raw = hashlib.sha256(name.encode()).digest()[:10]
    return "r_" + base64.b32encode(raw).decode().lower()


def region(
    name: str, shape: str, geometry: dict[str, Any], label: str = "dust", **more: Any
) -> dict[str, Any]:
    return {
        "id": rid(name),
        "shape": shape,
        "label": label,
        "geometry": geometry,
        "attributes": more.pop("attributes", {}),
        "asset": more.pop("asset", "a_1"),
        "origin": more.pop("origin", {"kind": "drawn"}),
        **more,
    }


def box(
    name: str, x0: float, y0: float, x1: float, y1: float, label: str = "dust", **more: Any
) -> dict[str, Any]:
    return region(name, "box", {"x0": x0, "y0": y0, "x1": x1, "y1": y1}, label, **more)


def polygon(name: str, *rings: list[list[float]], label: str = "dust", **more: Any) -> dict[str, Any]:
    return region(name, "polygon", {"rings": list(rings)}, label, **more)


def span(name: str, start: int, end: int, label: str = "dust") -> dict[str, Any]:
    return region(name, "span", {"start": start, "end": end, "quote": "q" * (end - start)}, label)


def document(
    *regions: dict[str, Any], answers: dict[str, Any] | None = None, unusable: str | None = None
) -> dict:
    return {
        "format": 1,
        "regions": {entry["id"]: entry for entry in regions},
        "answers": dict(answers or {}),
        "unusable": unusable,
    }
