"""An upright box: {"x0", "y0", "x1", "y1"} in image pixels, x0 < x1, y0 < y1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.core.document import AssetInfo
from annotator.core.errors import Invalid
from annotator.shapes._pixels import Fit, object_of, picture_of

ID = "box.v1"
ASSET_KIND = "image"
CHANGE_KINDS = ("add", "remove", "replace", "set")
KEYS = ("x0", "y0", "x1", "y1")


def parse(
    geometry: Any, asset: AssetInfo | None, *, field: str, exact: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Inverted and empty boxes are refused, never turned round. Unknown keys are kept."""
    found = dict(object_of(geometry, set(KEYS), field))
    width, height = picture_of(asset, field)
    fit = Fit(field, exact)
    for name in KEYS:
        found[name] = fit.coordinate(found[name], width if name[0] == "x" else height, f"{field}.{name}")
    for low, high in (("x0", "x1"), ("y0", "y1")):
        if found[low] >= found[high]:
            raise Invalid(
                "box_without_extent",
                "The box is empty or inverted.",
                field=f"{field}.{high}",
                cure="Make x0 smaller than x1 and y0 smaller than y1.",
            )
    return found, fit.warnings


def bounds(geometry: Mapping[str, Any], part_bytes: Any = None) -> tuple[float, float, float, float] | None:
    return geometry["x0"], geometry["y0"], geometry["x1"], geometry["y1"]


def rings(geometry: Mapping[str, Any]) -> list[list[list[float]]] | None:
    x0, y0, x1, y1 = (geometry[name] for name in KEYS)
    return [[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]]


def tiles(geometry: Mapping[str, Any]) -> dict[str, str] | None:
    return None


def interval(geometry: Mapping[str, Any]) -> tuple[int, int] | None:
    return None


def is_empty(geometry: Mapping[str, Any]) -> bool:
    return False
