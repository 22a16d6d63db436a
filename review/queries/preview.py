"""Reads: an accepted document drawn for a judge: outlines over the picture, marks in the text, answers.

Plain data for a template without script. Origins, authors and colours of people have no place here.
"""

from __future__ import annotations

from typing import Any

from annotator.core.masks import TILE_PX, decode_part
from annotator.models import AcceptedDocument, Task
from annotator.queries.assets import item_assets, text_of
from review.queries.sides import part_bytes

MAX_MASK_RECTS = 20_000
"""Rectangles one mask may need; a more ragged one is drawn by its tiles, and the page says so."""
FALLBACK_COLOUR = "#c2410c"


def drawn(task: Task, accepted: AcceptedDocument) -> dict[str, Any]:
    """{"pictures": [...], "texts": [...], "answers": [...]} of the document on its item's assets."""
    schema = accepted.schema.document
    labels = {label["name"]: label for label in schema.get("labels", [])}
    by_asset: dict[str, list[dict[str, Any]]] = {}
    for region in sorted(
        accepted.document["regions"].values(), key=lambda entry: (entry.get("z") or 0, entry["id"])
    ):
        by_asset.setdefault(str(region.get("asset") or ""), []).append(region)
    pictures, texts = [], []
    for _, asset in item_assets(task.item_id):
        regions = by_asset.get(asset.public_id, [])
        if asset.kind == "image":
            pictures.append(
                {
                    "url": f"/api/assets/{asset.public_id}/file",
                    "width": asset.width or 1,
                    "height": asset.height or 1,
                    "shapes": [_shape(region, labels, asset.width or 1) for region in regions],
                }
            )
        elif asset.kind == "text":
            texts.append(segments(text_of(asset) or "", regions, labels))
    controls = [control for control in schema.get("controls", []) if control.get("kind") != "regions"]
    answers = [
        {"title": control.get("title"), "value": accepted.document["answers"].get(control["name"])}
        for control in controls
    ]
    return {"pictures": pictures, "texts": texts, "answers": answers, "n": len(accepted.document["regions"])}


def _shape(region: dict[str, Any], labels: dict[str, Any], width: int) -> dict[str, Any]:
    label = labels.get(str(region.get("label")), {})
    path, rough = outline(region)
    return {
        "path": path,
        "rough": rough,
        "colour": label.get("color") or FALLBACK_COLOUR,
        "title": label.get("title") or region.get("label"),
        "attributes": region.get("attributes") or {},
        "stroke": max(1, round(width / 400)),
        "filled": region["shape"] == "mask",
    }


def outline(region: dict[str, Any]) -> tuple[str, bool]:
    """SVG path of a region in picture pixels, and whether it is only its tiles."""
    geometry = region["geometry"]
    if region["shape"] == "box":
        x0, y0, x1, y1 = (geometry[name] for name in ("x0", "y0", "x1", "y1"))
        return f"M{x0} {y0}H{x1}V{y1}H{x0}Z", False
    if region["shape"] == "polygon":
        rings = ("M" + "L".join(f"{x} {y}" for x, y in ring) + "Z" for ring in geometry["rings"])
        return "".join(rings), False
    if region["shape"] == "mask":
        return _mask_path(geometry["tiles"])
    return "", False


def _mask_path(tiles: dict[str, str]) -> tuple[str, bool]:
    rects: list[tuple[int, int, int, int]] = []
    for key in sorted(tiles):
        left, top = (int(value) * TILE_PX for value in key.split(","))
        rects += _rects(decode_part(part_bytes(tiles[key])), left, top)
        if len(rects) > MAX_MASK_RECTS:
            places = ([int(value) * TILE_PX for value in entry.split(",")] for entry in sorted(tiles))
            return "".join(f"M{x} {y}h{TILE_PX}v{TILE_PX}h-{TILE_PX}Z" for x, y in places), True
    return "".join(f"M{x} {y}h{w}v{h}h-{w}Z" for x, y, w, h in rects), False


def _rects(tile: Any, left: int, top: int) -> list[tuple[int, int, int, int]]:
    """Runs of pixels as rectangles; equal runs of following rows are one."""
    import numpy as np

    done: list[tuple[int, int, int, int]] = []
    growing: dict[tuple[int, int], int] = {}
    for y in range(TILE_PX + 1):
        runs: set[tuple[int, int]] = set()
        if y < TILE_PX and tile[y].any():
            edges = np.flatnonzero(np.diff(np.concatenate(([0], tile[y].astype(np.int8), [0]))))
            runs = {(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)}
        for run in [run for run in growing if run not in runs]:
            start = growing.pop(run)
            done.append((left + run[0], top + start, run[1] - run[0], y - start))
        for run in runs:
            growing.setdefault(run, y)
    return done


def segments(text: str, regions: list[dict[str, Any]], labels: dict[str, Any]) -> list[dict[str, Any]]:
    """The text cut at every edge of a span: each piece with the titles of the labels that cover it."""
    spans = [region for region in regions if region["shape"] == "span"]
    edges = {0, len(text)}
    for region in spans:
        edges |= {region["geometry"]["start"], region["geometry"]["end"]}
    cuts = sorted(edges)
    pieces = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        over = [r for r in spans if r["geometry"]["start"] <= start and end <= r["geometry"]["end"]]
        titles = [labels.get(r["label"], {}).get("title") or r["label"] for r in over]
        pieces.append({"text": text[start:end], "labels": titles})
    return pieces
