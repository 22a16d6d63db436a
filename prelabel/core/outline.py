"""Masks to polygons and back. Pure numpy; scikit-image is imported inside the functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prelabel.core.samples import Raster


def filled(raster: Raster) -> Raster:
    """The mask without its holes: what cannot be reached from outside (4 neighbours) belongs to it.

    One labelling of the ground; scipy's own filling dilates step by step, which takes seconds on large masks.
    """
    from scipy import ndimage

    ground, _n = ndimage.label(~np.pad(raster, 1))
    out: Raster = (ground != ground[0, 0])[1:-1, 1:-1]
    return out


def raster_to_rings(
    raster: Raster, tolerance_px: float = 1.0, min_area_px: float = 4.0
) -> list[list[list[float]]]:
    """Outer rings of the connected parts of a mask, largest first, simplified to `tolerance_px`; holes are
    left out.

    Coordinates are image pixels with the origin at the outer corner of the top-left pixel.
    """
    from skimage.measure import approximate_polygon, find_contours, label, regionprops

    rings: list[tuple[float, list[list[float]]]] = []
    height, width = raster.shape
    for part in regionprops(label(raster, connectivity=1)):
        if part.area < min_area_px:
            continue
        top, left, _bottom, _right = part.bbox
        # Filled, so that the first contour is the outer ring; padded, so that rings at the picture's edge
        # close.
        contours = find_contours(np.pad(filled(part.image), 1).astype(np.uint8), 0.5)
        if not contours:
            continue
        outer = approximate_polygon(max(contours, key=len), tolerance_px)[:-1]
        points = [
            [
                round(float(min(max(x - 1 + left + 0.5, 0), width)), 3),
                round(float(min(max(y - 1 + top + 0.5, 0), height)), 3),
            ]
            for y, x in outer
        ]
        if len({tuple(point) for point in points}) >= 3:
            rings.append((float(part.area), points))
    rings.sort(key=lambda entry: -entry[0])
    return [ring for _area, ring in rings]


def rings_to_raster(rings: Sequence[Sequence[Sequence[float]]], height: int, width: int) -> Raster:
    """Pixels whose centre lies inside the first ring and outside the others (holes)."""
    from skimage.draw import polygon

    out = np.zeros((height, width), bool)
    for index, ring in enumerate(rings):
        ys = np.array([point[1] for point in ring]) - 0.5
        xs = np.array([point[0] for point in ring]) - 0.5
        rows, columns = polygon(ys, xs, (height, width))
        out[rows, columns] = index == 0
    return out
