"""blob.v1: bright or dark spots on a picture become boxes, by a grey threshold. Pure; scipy is imported on
use.

Method: grey value, optional flattening of uneven light (minus a wide Gaussian), smoothing, Otsu's threshold
(1979) or a
given level, holes filled, connected parts (8 neighbours), one box a part. A box ends at the outer edge of
its last pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prelabel.core.parameters import Parameter, _
from prelabel.core.samples import Picture, Proposal, Sample

ID = "blob.v1"
TITLE = _("Spots by brightness")
HELP = _("Draws a box around each bright or dark spot of a picture.")
INPUT = "image"
SHAPES: tuple[str, ...] = ("box",)
PARAMETERS = (
    Parameter("label", "label", _("Label of the boxes"), required=True),
    Parameter(
        "polarity",
        "option",
        _("Spots are"),
        default="bright",
        options=(("bright", _("brighter than the ground")), ("dark", _("darker than the ground"))),
    ),
    Parameter(
        "threshold",
        "option",
        _("Threshold"),
        default="auto",
        options=(("auto", _("found for each picture (Otsu)")), ("fixed", _("the level below"))),
    ),
    Parameter("level", "integer", _("Fixed level"), default=128, minimum=0, maximum=255),
    Parameter(
        "flatten_px", "number", _("Even out light over"), default=0.0, minimum=0, maximum=500, unit="px"
    ),
    Parameter("smooth_px", "number", _("Smooth by"), default=1.0, minimum=0, maximum=20, unit="px"),
    Parameter(
        "min_area_px", "integer", _("Smallest spot"), default=64, minimum=1, maximum=10_000_000, unit="px²"
    ),
    Parameter(
        "max_area_share",
        "number",
        _("Largest spot, share of the picture"),
        default=0.5,
        minimum=0.0001,
        maximum=1,
    ),
    Parameter("skip_edge", "flag", _("Leave out spots cut by the picture's edge"), default=False),
)
MAX_PIXELS = 50_000_000


@contextmanager
def prepare(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Callable[[Sample], Proposal]]:
    def apply(sample: Sample) -> Proposal:
        if sample.picture is None:
            return Proposal()
        picture = sample.picture()
        if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
            proposal = Proposal()
            proposal.dropped["picture_too_large"] += 1
            return proposal
        return find(picture, values)

    yield apply


def otsu(values: NDArray[np.float32]) -> float:
    """Threshold that splits 256 grey bins with the largest variance between the two sides; ties: the middle
    of the plateau.

    A flat picture gives its own value (nothing lies above it).
    """
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return high
    counts, edges = np.histogram(values, bins=256, range=(low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    total = counts.sum()
    below = np.cumsum(counts)
    above = total - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    between = np.nan_to_num(between[:-1], nan=0.0, posinf=0.0, neginf=0.0)
    best = np.flatnonzero(between == between.max())
    return float(edges[1:-1][best].mean())


def find(picture: Picture, values: Mapping[str, Any]) -> Proposal:
    """Boxes of one picture. The score of a box is how far its mean lies from the threshold, against the
    farthest part's."""
    from scipy import ndimage

    grey = np.asarray(picture, np.float32)
    if grey.ndim == 3:
        grey = grey[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    level = float(values["level"])
    if values["polarity"] == "dark":
        grey, level = 255.0 - grey, 255.0 - level
    if values["smooth_px"] > 0:
        grey = ndimage.gaussian_filter(grey, values["smooth_px"])
    if values["flatten_px"] > 0:
        ground = ndimage.gaussian_filter(grey, values["flatten_px"])
        if values["threshold"] == "fixed":
            level -= float(ground.mean())
        grey = grey - ground
    if values["threshold"] == "auto":
        level = otsu(grey)
    mask = ndimage.binary_fill_holes(grey > level)
    parts, n = ndimage.label(mask, structure=np.ones((3, 3), int))
    proposal = Proposal()
    if not n:
        return proposal
    index = np.arange(1, n + 1)
    areas = np.bincount(parts.ravel(), minlength=n + 1)[1:]
    contrast = ndimage.mean(grey, parts, index) - level
    height, width = mask.shape
    largest = values["max_area_share"] * height * width
    keep = (areas >= values["min_area_px"]) & (areas <= largest)
    top = float(contrast[keep].max()) if keep.any() else 0.0
    for part, where in enumerate(ndimage.find_objects(parts)):
        if not keep[part] or where is None:
            continue
        rows, columns = where
        if values["skip_edge"] and (
            rows.start == 0 or columns.start == 0 or rows.stop == height or columns.stop == width
        ):
            continue
        score = float(np.clip(contrast[part] / top, 0.0, 1.0)) if top > 0 else 0.0
        proposal.regions.append(
            {
                "shape": "box",
                "label": values["label"],
                "geometry": {
                    "x0": float(columns.start),
                    "y0": float(rows.start),
                    "x1": float(columns.stop),
                    "y1": float(rows.stop),
                },
                "score": round(score, 4),
            }
        )
    return proposal
