"""How alike two extents are: IoU and 'every edge within e px', for boxes, polygons, masks and spans.

Pure. Coordinates are stored frame pixels (float, origin at the outer corner of the top-left pixel); spans are
half open code point intervals. Regions of different shapes in one picture meet in the poorest projection that
both have: box with polygon as rings, anything with a mask as pixels. `parts(digest)` gives the bytes of a
mask part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from annotator.core.geometry import box_ious, edges_within, polygon_bounds
from annotator.core.masks import TILE_PX, decode_part, mask_iou
from annotator.core.masks import rasterise as rasterise_rings
from annotator.core.spans import span_iou

MAX_RASTER_PX: Final = 64 * 1024 * 1024
"""Polygons are turned into pixels only up to this area of their bounds; beyond it against a mask is refused.
"""

Region = Mapping[str, Any]
Parts = Callable[[str], bytes]
Bounds = tuple[float, float, float, float]


def no_parts(digest: str) -> bytes:
    """The loader of callers that have no masks: a mask then is an error, not an empty picture."""
    raise KeyError(f"mask part {digest} is not available")


@dataclass(frozen=True)
class Likeness:
    """IoU in 0..1; `close` when every edge of one lies within e px of the other."""

    iou: float
    close: bool


def plane(region: Region) -> tuple[str, str, int]:
    """Where a region lies: only regions of the same asset, kind of extent (1-D text, 2-D picture) and frame
    can be the same thing."""
    kind = "text" if region["shape"] == "span" else "picture"
    return (str(region.get("asset") or ""), kind, int(region.get("frame") or 0))


def _box(region: Region) -> Bounds:
    g = region["geometry"]
    return (float(g["x0"]), float(g["y0"]), float(g["x1"]), float(g["y1"]))


def bounds(region: Region) -> Bounds:
    """Outer bounds; of a mask the bounds of its tiles, which is enough to rule pairs out."""
    shape, g = region["shape"], region["geometry"]
    if shape == "span":
        return (float(g["start"]), 0.0, float(g["end"]), 1.0)
    if shape == "box":
        return _box(region)
    if shape == "polygon":
        return polygon_bounds(g["rings"])
    if shape == "mask":
        if not g["tiles"]:
            return (0.0, 0.0, 0.0, 0.0)
        places = np.asarray([[int(v) for v in key.split(",")] for key in g["tiles"]], dtype=np.int64)
        low, high = places.min(axis=0) * TILE_PX, (places.max(axis=0) + 1) * TILE_PX
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    raise ValueError(f"no extent is known for shape {shape!r}")


def _apart(a: Bounds, b: Bounds) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def _rings(region: Region) -> list[np.ndarray]:
    if region["shape"] == "box":
        x0, y0, x1, y1 = _box(region)
        return [np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])]
    return [np.asarray(ring, dtype=np.float64) for ring in region["geometry"]["rings"]]


def _polygon(region: Region) -> Any:
    from shapely import Polygon, make_valid

    rings = _rings(region)
    made = Polygon(rings[0], rings[1:])
    # A self-crossing outline is stored as drawn; its area is what the even-odd rule paints.
    return made if made.is_valid else make_valid(made)


def _polygon_iou(a: Region, b: Region) -> float:
    one, two = _polygon(a), _polygon(b)
    shared = one.intersection(two).area
    union = one.area + two.area - shared
    return float(shared / union) if union > 0 else 0.0


def _outline_points(rings: list[np.ndarray], step_px: float) -> np.ndarray:
    points = []
    for ring in rings:
        following = np.roll(ring, -1, axis=0)
        for start, end in zip(ring, following, strict=True):
            length = float(np.hypot(*(end - start)))
            count = min(4096, max(1, math.ceil(length / step_px)))
            share = np.arange(count)[:, None] / count
            points.append(start + (end - start) * share)
    return np.concatenate(points)


def _distances(points: np.ndarray, rings: list[np.ndarray]) -> np.ndarray:
    """Distance of each point to the nearest segment of the outlines, px."""
    best = np.full(len(points), np.inf)
    for ring in rings:
        for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            along = end - start
            square = float(along @ along)
            share = (
                np.zeros(len(points)) if square == 0 else np.clip((points - start) @ along / square, 0.0, 1.0)
            )
            gap = points - (start + share[:, None] * along)
            best = np.minimum(best, np.hypot(gap[:, 0], gap[:, 1]))
    return best


def _polygons_close(a: Region, b: Region, edge_px: float) -> bool:
    """Outer outlines stay within e px of each other (Hausdorff distance, sampled each half pixel), and so
    do the holes; a hole that only one of them has is no small edge."""
    one, two = _rings(a), _rings(b)
    low, high = bounds(a), bounds(b)
    if any(abs(x - y) > edge_px for x, y in zip(low, high, strict=True)) or bool(one[1:]) != bool(two[1:]):
        return False
    for left, right in ((one[:1], two[:1]), (two[:1], one[:1]), (one[1:], two[1:]), (two[1:], one[1:])):
        if left and float(_distances(_outline_points(left, 0.5), right).max()) > edge_px + 1e-9:
            return False
    return True


def rasterise(region: Region, parts: Parts) -> tuple[int, int, np.ndarray]:
    """The region as pixels: (left, top, bool array). Of an outline a pixel belongs when its centre is
    inside."""
    if region["shape"] == "mask":
        tiles = region["geometry"]["tiles"]
        if not tiles:
            return (0, 0, np.zeros((0, 0), dtype=bool))
        x0, y0, x1, y1 = (int(value) for value in bounds(region))
        whole = np.zeros((y1 - y0, x1 - x0), dtype=bool)
        for key, digest in tiles.items():
            tx, ty = (int(value) * TILE_PX for value in key.split(","))
            whole[ty - y0 : ty - y0 + TILE_PX, tx - x0 : tx - x0 + TILE_PX] = decode_part(parts(digest))
        return (x0, y0, whole)
    left, top, right, bottom = bounds(region)
    x0, y0 = math.floor(left), math.floor(top)
    width, height = max(1, math.ceil(right) - x0), max(1, math.ceil(bottom) - y0)
    if width * height > MAX_RASTER_PX:
        raise ValueError("the outline is too large to be compared with a mask")
    rings = [ring.tolist() for ring in _rings(region)]
    return (x0, y0, rasterise_rings(rings, x0_px=x0, y0_px=y0, width_px=width, height_px=height))


def _common(
    a: tuple[int, int, np.ndarray], b: tuple[int, int, np.ndarray], margin: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both rasters in one frame that holds them and a margin."""
    left = min(a[0], b[0]) - margin
    top = min(a[1], b[1]) - margin
    right = max(a[0] + a[2].shape[1], b[0] + b[2].shape[1]) + margin
    bottom = max(a[1] + a[2].shape[0], b[1] + b[2].shape[0]) + margin
    frames = []
    for x, y, pixels in (a, b):
        frame = np.zeros((bottom - top, right - left), dtype=bool)
        frame[y - top : y - top + pixels.shape[0], x - left : x - left + pixels.shape[1]] = pixels
        frames.append(frame)
    return frames[0], frames[1]


def _grown(pixels: np.ndarray, by_px: int) -> np.ndarray:
    grown = pixels.copy()
    for shift in range(1, by_px + 1):
        grown[:, shift:] |= pixels[:, :-shift]
        grown[:, :-shift] |= pixels[:, shift:]
    across = grown.copy()
    for shift in range(1, by_px + 1):
        grown[shift:, :] |= across[:-shift, :]
        grown[:-shift, :] |= across[shift:, :]
    return grown


def _trimmed(raster: tuple[int, int, np.ndarray]) -> tuple[int, int, np.ndarray]:
    left, top, pixels = raster
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return (left, top, pixels[:0, :0])
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (left + int(columns[0]), top + int(rows[0]), cut)


def _masks_close(a: Region, b: Region, parts: Parts, edge_px: float) -> bool:
    margin = math.floor(edge_px)
    one, two = _common(_trimmed(rasterise(a, parts)), _trimmed(rasterise(b, parts)), margin)
    # Both the painted and the unpainted side: a hole that only one of them has is no small edge.
    return not (
        (one & ~_grown(two, margin)).any()
        or (two & ~_grown(one, margin)).any()
        or (~one & ~_grown(~two, margin)).any()
        or (~two & ~_grown(~one, margin)).any()
    )


def likeness(a: Region, b: Region, *, edge_px: float, parts: Parts = no_parts) -> Likeness:
    """IoU and closeness of two regions of one plane. Symmetric in its arguments. Apart: 0 and not close."""
    if plane(a) != plane(b):
        return Likeness(0.0, False)
    one, two = bounds(a), bounds(b)
    if _apart(one, two):
        return Likeness(0.0, False)
    shapes = {a["shape"], b["shape"]}
    if shapes == {"span"}:
        # Text has no pixels: an edge is right or it is wrong, so closeness adds nothing to IoU.
        g, h = a["geometry"], b["geometry"]
        iou = span_iou((g["start"], g["end"]), (h["start"], h["end"]))
        return Likeness(iou, iou == 1.0)
    if shapes == {"box"}:
        return Likeness(float(box_ious([one], [two])[0, 0]), bool(edges_within([one], [two], edge_px)[0, 0]))
    if "mask" in shapes:
        if shapes == {"mask"}:
            iou = mask_iou(a["geometry"]["tiles"], b["geometry"]["tiles"], parts) or 0.0
            if iou == 1.0:
                return Likeness(1.0, True)
        else:
            left, right = _common(rasterise(a, parts), rasterise(b, parts), 0)
            union = int(np.count_nonzero(left | right))
            iou = int(np.count_nonzero(left & right)) / union if union else 0.0
        return Likeness(iou, iou > 0 and _masks_close(a, b, parts, edge_px))
    iou = _polygon_iou(a, b)
    return Likeness(iou, iou > 0 and _polygons_close(a, b, edge_px))
