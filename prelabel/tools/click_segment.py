"""click_segment.v1: grows a region from a click over pixels whose colour is near the clicked one. Pure."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from annotator.core import masks
from annotator.core.errors import Invalid
from prelabel.core.outline import raster_to_rings
from prelabel.core.parameters import Parameter, _
from prelabel.core.samples import Picture

ID = "click_segment.v1"
TITLE = _("Grow a region from a click")
WINDOW_PX = 2048
"""Half of the answer's time is spent on pixels: the region grows within this window round the click, and
says when cut."""
PARAMETERS = (
    Parameter(
        "x", "number", _("Click, from the left"), default=None, minimum=0, maximum=1_000_000, unit="px"
    ),
    Parameter("y", "number", _("Click, from the top"), default=None, minimum=0, maximum=1_000_000, unit="px"),
    Parameter("tolerance", "number", _("Tolerance"), default=32.0, minimum=0, maximum=255),
    Parameter("smooth_px", "number", _("Smooth by"), default=1.0, minimum=0, maximum=8, unit="px"),
    Parameter(
        "simplify_px", "number", _("Simplify the outline to"), default=1.0, minimum=0, maximum=10, unit="px"
    ),
    Parameter(
        "output",
        "option",
        _("Result"),
        default="polygon",
        options=(("polygon", _("Polygon")), ("mask", _("Mask"))),
    ),
)
MIN_AREA_PX = 4


def run(picture: Picture, values: dict[str, Any]) -> dict[str, Any]:
    """The grown region, holes filled: {"shape", "geometry", "area_px", "cut"} and for masks {"parts": digest
    -> base64}.

    Colour distance is the largest difference of a channel from the mean of the 3 x 3 pixels at the click.
    """
    from scipy import ndimage
    from skimage.segmentation import flood

    height, width = picture.shape[:2]
    x, y = int(values["x"]), int(values["y"])
    if not (0 <= x < width and 0 <= y < height):
        raise Invalid("outside", _("The click lies outside the picture."), field="x")
    left, top = (max(0, min(at - WINDOW_PX // 2, side - WINDOW_PX)) for at, side in ((x, width), (y, height)))
    window = picture[top : top + WINDOW_PX, left : left + WINDOW_PX].astype(np.float32)
    if values["smooth_px"] > 0:
        window = ndimage.gaussian_filter(window, (values["smooth_px"], values["smooth_px"], 0))
    column, row = x - left, y - top
    seed = window[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean(axis=(0, 1))
    near = np.abs(window - seed).max(axis=2) <= values["tolerance"]
    near[row, column] = True
    grown = ndimage.binary_fill_holes(flood(near, (row, column), connectivity=1))
    area = int(grown.sum())
    if area < MIN_AREA_PX:
        raise Invalid(
            "nothing_grown",
            _("No region of similar colour lies here."),
            cure=_("Raise the tolerance or click elsewhere."),
        )
    out: dict[str, Any] = {"area_px": area, "cut": _cut(grown, left, top, width, height)}
    if values["output"] == "mask":
        whole = np.zeros((height, width), np.bool_)
        whole[top : top + grown.shape[0], left : left + grown.shape[1]] = grown
        parts = {key: masks.encode_part(tile) for key, tile in masks.mask_to_tiles(whole).items()}
        digests = {key: masks.part_digest(raw) for key, raw in parts.items()}
        return out | {
            "shape": "mask",
            "geometry": {"tiles": digests},
            "parts": {digests[key]: base64.b64encode(raw).decode() for key, raw in parts.items()},
        }
    rings = raster_to_rings(grown, values["simplify_px"], MIN_AREA_PX)
    if not rings:
        raise Invalid(
            "nothing_grown",
            _("No region of similar colour lies here."),
            cure=_("Raise the tolerance or click elsewhere."),
        )
    ring = [[round(px + left, 3), round(py + top, 3)] for px, py in rings[0]]
    return out | {"shape": "polygon", "geometry": {"rings": [ring]}}


def _cut(grown: np.ndarray, left: int, top: int, width: int, height: int) -> bool:
    """Whether the region reaches a side of the window that is not a side of the picture."""
    rows, columns = grown.shape
    return bool(
        (left > 0 and grown[:, 0].any())
        or (top > 0 and grown[0].any())
        or (left + columns < width and grown[:, -1].any())
        or (top + rows < height and grown[-1].any())
    )
