"""Boxes and polygons in image pixels: float, origin at the outer corner of the top-left pixel, y down.

Pure numpy. Boxes are arrays [n, 4] of x0, y0, x1, y1. Crossing tests are exact: coordinates are counted in
thousandths of a pixel, the precision in which they are stored. Twin: `static/workbench/src/core/geometry.ts`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ring = Sequence[Sequence[float]]

DECIMALS = 3
"""Coordinates are stored in thousandths of a pixel."""
MAX_CROSSING_PAIRS = 20_000_000
"""Pairs of edges that the crossing test looks at; a ring beyond it is refused as too complex. Published
limit."""


def round_px(value: float) -> float | int:
    """To the stored precision; whole numbers as integers, so that equal coordinates look equal."""
    rounded = round(value, DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded


def is_number(value: object) -> bool:
    """A finite JSON number; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _boxes(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1, 4)


def box_areas(boxes: ArrayLike) -> Floats:
    """Square pixels a box, shape [n]."""
    b = _boxes(boxes)
    return np.asarray((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]), dtype=np.float64)


def box_ious(one: ArrayLike, other: ArrayLike) -> Floats:
    """Intersection over union of every pair, shape [n, m], 0 where boxes only touch. Boxes have an area."""
    a, b = _boxes(one), _boxes(other)
    wide = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    high = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    common = np.clip(wide, 0, None) * np.clip(high, 0, None)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - common
    return np.asarray(common / union, dtype=np.float64)


def edges_within(one: ArrayLike, other: ArrayLike, edge_px: float) -> NDArray[np.bool_]:
    """For every pair of boxes: does every edge lie within `edge_px` of its counterpart? Shape [n, m].

    Compared in thousandths of a pixel, so that a difference of exactly `edge_px` counts as within.
    """
    a, b = np.rint(_boxes(one) * 1000), np.rint(_boxes(other) * 1000)
    return np.asarray((np.abs(a[:, None, :] - b[None, :, :]) <= round(edge_px * 1000)).all(axis=2))


def ring_area(ring: Ring) -> float:
    """Signed area in square pixels (shoelace); positive when the ring turns clockwise on the screen."""
    p = np.asarray(ring, dtype=np.float64)
    q = np.roll(p, -1, axis=0)
    return float(np.sum(p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1])) / 2


def polygon_area(rings: Sequence[Ring]) -> float:
    """Area of the first ring less the areas of its holes, in square pixels."""
    return abs(ring_area(rings[0])) - sum(abs(ring_area(ring)) for ring in rings[1:])


def polygon_centroid(rings: Sequence[Ring]) -> tuple[float, float]:
    """Centre of area, holes taken out; the mean of the points where there is no area."""
    total = x = y = 0.0
    for index, ring in enumerate(rings):
        p = np.asarray(ring, dtype=np.float64)
        origin = p[0]
        p = p - origin  # near zero, so that far-away small rings keep their digits
        q = np.roll(p, -1, axis=0)
        cross = p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]
        signed = float(cross.sum()) / 2
        if signed == 0:
            continue
        cx = float(((p[:, 0] + q[:, 0]) * cross).sum()) / (6 * signed) + float(origin[0])
        cy = float(((p[:, 1] + q[:, 1]) * cross).sum()) / (6 * signed) + float(origin[1])
        weight = abs(signed) if index == 0 else -abs(signed)
        total, x, y = total + weight, x + weight * cx, y + weight * cy
    if total <= 0:
        points = np.asarray(rings[0], dtype=np.float64)
        return float(points[:, 0].mean()), float(points[:, 1].mean())
    return x / total, y / total


def polygon_bounds(rings: Sequence[Ring]) -> tuple[float, float, float, float]:
    points = np.asarray(rings[0], dtype=np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def point_in_rings(x: float, y: float, rings: Sequence[Ring]) -> bool:
    """Even-odd rule with the half-open edge rule of `masks.rasterise`: an edge at (x, y) counts when it is
    at or left of x, and covers min(ay, by) <= y < max(ay, by)."""
    inside = False
    for ring in rings:
        p = np.asarray(ring, dtype=np.float64)
        q = np.roll(p, -1, axis=0)
        covers = (np.minimum(p[:, 1], q[:, 1]) <= y) & (y < np.maximum(p[:, 1], q[:, 1]))
        a, b = p[covers], q[covers]
        crossing = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
        inside ^= bool(np.count_nonzero(crossing <= x) & 1)
    return inside


def thousandths(ring: Ring) -> NDArray[np.int64]:
    return np.rint(np.asarray(ring, dtype=np.float64) * 1000).astype(np.int64)


def all_on_a_line(ring: Ring) -> bool:
    """Do all points lie on one straight line (exact, in thousandths)?"""
    p = thousandths(ring)
    far = p - p[0]
    away = far[np.argmax(np.abs(far).sum(axis=1))]
    return not bool(np.any(far[:, 0] * away[1] != far[:, 1] * away[0]))


class TooComplex(Exception):
    """More pairs of edges lie near each other than the crossing test looks at."""


def _candidates(
    low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of edges whose extents meet along x or y, whichever gives fewer."""
    best: tuple[int, NDArray[np.int64], NDArray[np.int64]] | None = None
    for axis in (0, 1):
        order = np.argsort(low[:, axis], kind="stable")
        upto = np.searchsorted(low[order, axis], high[order, axis], side="right")
        counts = upto - np.arange(order.size) - 1
        total = int(counts.sum())
        if best is None or total < best[0]:
            best = (total, order, counts)
    assert best is not None
    total, order, counts = best
    if total > MAX_CROSSING_PAIRS:
        raise TooComplex
    first = np.repeat(np.arange(order.size), counts)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    second = first + 1 + (np.arange(first.size) - starts)
    i, j = order[first], order[second]
    meet = ((low[i] <= high[j]) & (low[j] <= high[i])).all(axis=1)
    return i[meet], j[meet]


def _turn(a: NDArray[np.int64], b: NDArray[np.int64], c: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sign of the turn a -> b -> c; exact for coordinates up to two million pixels."""
    cross = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return np.asarray(np.sign(cross), dtype=np.int64)


def rings_cross(rings: Sequence[Ring]) -> tuple[int, int] | None:
    """The first pair of rings (equal for one ring) whose edges meet where they may not; None when all is
    simple.

    Within a ring, edges that are not neighbours may not even touch, and neighbours may not fold back. Two
    rings may touch in points but neither cross nor share a stretch. Raises TooComplex beyond
    MAX_CROSSING_PAIRS.
    """
    points = [thousandths(ring) for ring in rings]
    a = np.concatenate(points)
    b = np.concatenate([np.roll(ring, -1, axis=0) for ring in points])
    owner = np.repeat(np.arange(len(points)), [ring.shape[0] for ring in points])
    place = np.concatenate([np.arange(ring.shape[0]) for ring in points])
    sizes = np.asarray([ring.shape[0] for ring in points])
    i, j = _candidates(np.minimum(a, b), np.maximum(a, b))
    t1, t2 = _turn(a[i], b[i], a[j]), _turn(a[i], b[i], b[j])
    t3, t4 = _turn(a[j], b[j], a[i]), _turn(a[j], b[j], b[i])
    proper = (t1 * t2 < 0) & (t3 * t4 < 0)
    collinear = (t1 == 0) & (t2 == 0) & (t3 == 0) & (t4 == 0)
    touching = (t1 * t2 <= 0) & (t3 * t4 <= 0)
    # how far two collinear edges lie over one another, along the longer axis of the first
    axis = (np.abs(b[i] - a[i]).argmax(axis=1)).astype(np.int64)
    rows = np.arange(i.size)
    low = np.maximum(np.minimum(a[i], b[i])[rows, axis], np.minimum(a[j], b[j])[rows, axis])
    high = np.minimum(np.maximum(a[i], b[i])[rows, axis], np.maximum(a[j], b[j])[rows, axis])
    shared = collinear & (high > low)
    one_ring = owner[i] == owner[j]
    apart = np.abs(place[i] - place[j])
    neighbours = one_ring & ((apart == 1) | (apart == sizes[owner[i]] - 1))
    bad = np.where(
        one_ring, np.where(neighbours, shared, touching & (~collinear | (high >= low))), proper | shared
    )
    if one_ring.any() and bool((sizes == 3).any()):
        # in a triangle all edges are neighbours: only a fold can be wrong
        bad = np.where(one_ring & (sizes[owner[i]] == 3), shared, bad)
    if not bad.any():
        return None
    first = int(np.flatnonzero(bad)[0])
    pair = sorted((int(owner[i[first]]), int(owner[j[first]])))
    return pair[0], pair[1]
