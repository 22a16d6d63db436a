"""click_segment.v1: grows a region from a click over pixels whose colour is near the clicked one. Pure."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from annotator.core import masks
from annotator.core.errors import Invalid
from prelabel.core.outline import filled, raster_to_rings
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
    Parameter("tolerance", "number", _("Tolerance"), default=40.0, minimum=0, maximum=255),
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
    from PIL import Image, ImageFilter
    from scipy import ndimage

    height, width = picture.shape[:2]
    x, y = int(values["x"]), int(values["y"])
    if not (0 <= x < width and 0 <= y < height):
        raise Invalid("outside", _("The click lies outside the picture."), field="x")
    left, top = (max(0, min(at - WINDOW_PX // 2, side - WINDOW_PX)) for at, side in ((x, width), (y, height)))
    window = picture[top : top + WINDOW_PX, left : left + WINDOW_PX]
    if values["smooth_px"] > 0:
        # On bytes, not floats: the answer has to come within tenths of a second.
        blurred = Image.fromarray(window).filter(ImageFilter.GaussianBlur(values["smooth_px"]))
        window = np.asarray(blurred)
    column, row = x - left, y - top
    seed = window[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean(axis=(0, 1))
    low = np.clip(np.ceil(seed - values["tolerance"]), 0, 255).astype(np.uint8)
    high = np.clip(np.floor(seed + values["tolerance"]), 0, 255).astype(np.uint8)
    near = np.logical_and.reduce([(window[..., c] >= low[c]) & (window[..., c] <= high[c]) for c in range(3)])
    near[row, column] = True
    parts, _n = ndimage.label(near)
    # Only the box of the part is worked on from here.
    box = ndimage.find_objects(parts)[int(parts[row, column]) - 1]
    grown = np.zeros(near.shape, np.bool_)
    grown[box] = filled(parts[box] == parts[row, column])
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
    top, left = top + box[0].start, left + box[1].start
    rings = raster_to_rings(grown[box], values["simplify_px"], MIN_AREA_PX)
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
