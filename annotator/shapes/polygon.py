"""A polygon with holes: {"rings": [[[x, y], ...], hole, ...]} in image pixels, rings not closed explicitly.

Published rules: at least 3 different points a ring; no ring crosses or touches itself; holes lie inside
the first ring, touch it in single points at most, and lie apart from each other; neither direction is
preferred. Repeated neighbouring points and a closing point are taken out with a warning (refused in a save).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.core.document import AssetInfo
from annotator.core.errors import Invalid, TooLarge
from annotator.core.geometry import (
    TooComplex,
    all_on_a_line,
    point_in_rings,
    polygon_bounds,
    rings_cross,
)
from annotator.shapes._pixels import Fit, object_of, picture_of

ID = "polygon.v1"
ASSET_KIND = "image"
CHANGE_KINDS = ("add", "remove", "replace", "set")
MAX_POINTS = 100_000
"""Points of one region, all rings together. Published limit."""
MAX_RINGS = 1_000


def _ring(ring: Any, where: str, width: int, height: int, fit: Fit) -> list[list[float | int]]:
    if not isinstance(ring, list):
        raise Invalid("not_a_list", "A ring is a list of points [x, y].", field=where)
    points: list[list[float | int]] = []
    for index, point in enumerate(ring):
        place = f"{where}.{index}"
        if not isinstance(point, list) or len(point) != 2:
            raise Invalid("not_a_point", "A point is [x, y].", field=place)
        at = [fit.coordinate(point[0], width, f"{place}.0"), fit.coordinate(point[1], height, f"{place}.1")]
        if points and points[-1] == at:
            fit.warn("point_repeated", "A point was repeated.", place, "Send each point once.")
            continue
        points.append(at)
    if len(points) > 1 and points[0] == points[-1]:
        fit.warn(
            "ring_closed", "A ring was closed by its first point.", where, "Leave the closing point out."
        )
        points.pop()
    if len({(x, y) for x, y in points}) < 3:
        raise Invalid(
            "polygon_too_few_points", "A ring needs three different points.", field=where, cure="Add points."
        )
    return points


def parse(
    geometry: Any, asset: AssetInfo | None, *, field: str, exact: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = dict(object_of(geometry, {"rings"}, field))
    width, height = picture_of(asset, field)
    given = found["rings"]
    if not isinstance(given, list) or not given:
        raise Invalid("not_a_list", "A polygon is a list of rings.", field=f"{field}.rings")
    if len(given) > MAX_RINGS:
        raise TooLarge(
            "too_many_rings", "A polygon has too many rings.", field=f"{field}.rings", limit=MAX_RINGS
        )
    if sum(len(ring) for ring in given if isinstance(ring, list)) > MAX_POINTS:
        raise TooLarge(
            "too_many_points", "A region has too many points.", field=f"{field}.rings", limit=MAX_POINTS
        )
    fit = Fit(field, exact)
    kept = [_ring(ring, f"{field}.rings.{at}", width, height, fit) for at, ring in enumerate(given)]
    _check_rings(kept, f"{field}.rings")
    found["rings"] = kept
    return found, fit.warnings


def _check_rings(kept: list[list[list[float | int]]], where: str) -> None:
    for at, ring in enumerate(kept):
        if all_on_a_line(ring):
            raise Invalid(
                "polygon_without_area", "A ring has no area.", field=f"{where}.{at}", cure="Draw it again."
            )
    try:
        crossing = rings_cross(kept)
    except TooComplex:
        raise Invalid(
            "polygon_too_complex",
            "The polygon is too complex to be checked.",
            field=where,
            cure="Simplify it, or draw it as a mask.",
        ) from None
    if crossing is not None:
        one, other = crossing
        if one == other:
            raise Invalid(
                "polygon_self_crosses",
                "A ring crosses or touches itself.",
                field=f"{where}.{one}",
                cure="Move the points so that no two edges meet.",
            )
        raise Invalid(
            "polygon_rings_cross",
            "Two rings of a polygon cross.",
            field=f"{where}.{other}",
            cure="Move one of them.",
        )
    for at, hole in enumerate(kept[1:], start=1):
        x, y = _probe(hole, kept[0])
        if not point_in_rings(x, y, [kept[0]]):
            raise Invalid(
                "polygon_hole_outside",
                "A hole lies outside the outline.",
                field=f"{where}.{at}",
                cure="Draw it as a region of its own.",
            )
        for before in range(1, at):
            if _within(hole, kept[before]) or _within(kept[before], hole):
                raise Invalid(
                    "polygon_rings_cross",
                    "Two holes overlap.",
                    field=f"{where}.{at}",
                    cure="Merge the holes.",
                )


def _probe(ring: list[list[float | int]], outline: list[list[float | int]]) -> tuple[float, float]:
    """A point of the ring that is no point of the outline (rings may touch in points)."""
    taken = {(x, y) for x, y in outline}
    for at, (x, y) in enumerate(ring):
        after = ring[(at + 1) % len(ring)]
        middle = (x + after[0]) / 2, (y + after[1]) / 2
        if middle not in taken:
            return middle
    return ring[0][0], ring[0][1]


def _within(one: list[list[float | int]], other: list[list[float | int]]) -> bool:
    x, y = _probe(one, other)
    return point_in_rings(x, y, [other])


def bounds(geometry: Mapping[str, Any], part_bytes: Any = None) -> tuple[float, float, float, float] | None:
    return polygon_bounds(geometry["rings"])


def rings(geometry: Mapping[str, Any]) -> list[list[list[float]]] | None:
    return list(geometry["rings"])


def tiles(geometry: Mapping[str, Any]) -> dict[str, str] | None:
    return None


def interval(geometry: Mapping[str, Any]) -> tuple[int, int] | None:
    return None


def is_empty(geometry: Mapping[str, Any]) -> bool:
    return False
