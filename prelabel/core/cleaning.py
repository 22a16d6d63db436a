"""The gate between a machine's output and a stored prelabel: bad parts are dropped and counted, never
repaired.

Pure. Everything a rule or a model returns passes through `clean`; nothing else is written.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from prelabel.core import schema_view
from prelabel.core.samples import Proposal

MAX_REGIONS = 1_000
EDGE_PX = 0.5
"""A box may stand this far over the picture's edge by rounding; it is then cut at the edge. More is
`outside`."""
MIN_SIDE_PX = 1.0


def clean(
    proposal: Proposal,
    *,
    schema: Mapping[str, Any],
    width: int = 0,
    height: int = 0,
    text: str | None = None,
    limit: int = MAX_REGIONS,
) -> Proposal:
    """A proposal with only what the schema and the sample allow; reasons are counted in `dropped`.

    Reasons: not_a_number, outside, too_small, unknown_label, unknown_shape, bad_quote, bad_score,
    unknown_answer, over_limit.
    Over the limit the surest regions stay (ties: earlier first).
    """
    dropped: Counter[str] = Counter(proposal.dropped)
    allowed = schema_view.shape_labels(schema)
    kept: list[dict[str, Any]] = []
    # A flood is cut before it is looked at, so that a million boxes cost one pass and no memory of ours.
    flood = proposal.regions
    if len(flood) > 50 * limit:
        dropped["over_limit"] += len(flood) - 50 * limit
        flood = flood[: 50 * limit]
    for region in flood:
        reason = _fault(region, allowed, width, height, text)
        if reason:
            dropped[reason] += 1
            continue
        kept.append(_normal(region, schema, width, height))
    if len(kept) > limit:
        order = sorted(range(len(kept)), key=lambda index: (-kept[index]["score"], index))[:limit]
        dropped["over_limit"] += len(kept) - limit
        kept = [kept[index] for index in sorted(order)]
    answers: dict[str, Any] = {}
    options = schema_view.choice_controls(schema)
    for name, value in proposal.answers.items():
        if isinstance(value, str) and value in options.get(name, ()):
            answers[name] = value
        else:
            dropped["unknown_answer"] += 1
    score = proposal.score
    if score is not None and not _unit(score):
        dropped["bad_score"] += 1
        score = None
    if score is None and kept:
        score = sum(region["score"] for region in kept) / len(kept)
    if not kept and not answers:
        score = None
    return Proposal(kept, answers, None if score is None else round(float(score), 4), dropped)


def _unit(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)):
        return False
    return bool(math.isfinite(value) and 0.0 <= value <= 1.0)


def _fault(
    region: Any, allowed: Mapping[str, set[str]], width: int, height: int, text: str | None
) -> str | None:
    if not isinstance(region, Mapping):
        return "unknown_shape"
    shape = region.get("shape")
    geometry = region.get("geometry")
    if not isinstance(shape, str) or shape not in allowed or not isinstance(geometry, Mapping):
        return "unknown_shape"
    label = region.get("label")
    if not isinstance(label, str) or label not in allowed[shape]:
        return "unknown_label"
    if not _unit(region.get("score")):
        return "bad_score"
    check = {"box": _box_fault, "polygon": _polygon_fault, "mask": _mask_fault}.get(shape)
    if check is not None:
        return check(geometry, width, height)
    if shape == "span":
        return _span_fault(geometry, text)
    return "unknown_shape"


def _finite(values: Any) -> bool:
    return all(
        isinstance(value, (int, float, np.floating, np.integer))
        and not isinstance(value, bool)
        and math.isfinite(value)
        for value in values
    )


def _box_fault(geometry: Mapping[str, Any], width: int, height: int) -> str | None:
    values = [geometry.get(key) for key in ("x0", "y0", "x1", "y1")]
    if not _finite(values):
        return "not_a_number"
    x0, y0, x1, y1 = (float(value) for value in values)  # type: ignore[arg-type]
    if x0 < -EDGE_PX or y0 < -EDGE_PX or x1 > width + EDGE_PX or y1 > height + EDGE_PX:
        return "outside"
    if min(x1, width) - max(x0, 0) < MIN_SIDE_PX or min(y1, height) - max(y0, 0) < MIN_SIDE_PX:
        return "too_small"
    return None


def _polygon_fault(geometry: Mapping[str, Any], width: int, height: int) -> str | None:
    rings = geometry.get("rings")
    if not isinstance(rings, (list, tuple)) or not rings:
        return "unknown_shape"
    for ring in rings:
        if not isinstance(ring, (list, tuple)) or any(
            not isinstance(p, (list, tuple)) or len(p) != 2 for p in ring
        ):
            return "unknown_shape"
        if not all(_finite(point) for point in ring):
            return "not_a_number"
        if any(not (0 <= x <= width and 0 <= y <= height) for x, y in ring):
            return "outside"
        if len({(x, y) for x, y in ring}) < 3:
            return "too_small"
    return None


def _mask_fault(geometry: Mapping[str, Any], width: int, height: int) -> str | None:
    raster = geometry.get("raster")
    if not isinstance(raster, np.ndarray) or raster.dtype != np.bool_ or raster.shape != (height, width):
        return "outside"
    return None if raster.any() else "too_small"


def _span_fault(geometry: Mapping[str, Any], text: str | None) -> str | None:
    start, end = geometry.get("start"), geometry.get("end")
    if text is None or not isinstance(start, int) or not isinstance(end, int) or isinstance(start, bool):
        return "not_a_number"
    if not 0 <= start < end <= len(text):
        return "outside"
    return None if geometry.get("quote") == text[start:end] else "bad_quote"


def _normal(region: Mapping[str, Any], schema: Mapping[str, Any], width: int, height: int) -> dict[str, Any]:
    geometry = dict(region["geometry"])
    if region["shape"] == "box":
        geometry = {
            "x0": round(max(0.0, float(geometry["x0"])), 3),
            "y0": round(max(0.0, float(geometry["y0"])), 3),
            "x1": round(min(float(width), float(geometry["x1"])), 3),
            "y1": round(min(float(height), float(geometry["y1"])), 3),
        }
    elif region["shape"] == "polygon":
        geometry = {
            "rings": [
                [[round(float(x), 3), round(float(y), 3)] for x, y in ring] for ring in geometry["rings"]
            ]
        }
    elif region["shape"] == "span":
        geometry = {key: geometry[key] for key in ("start", "end", "quote")}
    return {
        "shape": region["shape"],
        "label": region["label"],
        "geometry": geometry,
        "attributes": schema_view.default_attributes(schema, region["label"]),
        "score": round(float(region["score"]), 4),
    }
