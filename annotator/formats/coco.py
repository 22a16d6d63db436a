"""COCO instances: boxes, polygons (with holes as run lengths), masks as compressed run lengths.

Works on projections, so that a shape it has never heard of is written through the richest one it has. Every
annotation carries beside COCO's keys `region` and `shape` (Concord's) and `attributes`. What COCO cannot hold
(answers, spans, frames, unknown keys) is one line each in `losses.jsonl`. Integers follow the order of keys.
Area and box are computed here, never taken from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotator.core import geometry, masks
from annotator.core.canonical import canonical, canonical_text
from annotator.core.document import AssetInfo
from annotator.core.schema import asset_of
from annotator.formats import Entry, Header, Output, PartBytes, Writer
from annotator.shapes import SHAPES, Shape

ID = "coco.v1"
TITLE = "COCO"
FILE = "coco.json"
HELD = frozenset({"id", "shape", "label", "geometry", "attributes", "asset", "origin"})
HELD_OF_GEOMETRY = frozenset({"x0", "y0", "x1", "y1", "rings", "tiles"})


def _plain(value: float) -> float | int:
    """Areas to a thousandth, like coordinates: the last bits of a sum are not part of the data."""
    return geometry.round_px(value)


def _json(value: Any) -> str:
    """Canonical JSON, quick for what most regions have."""
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    return f'"{value}"' if isinstance(value, str) and value.isidentifier() else canonical_text(value)


def _rle(rows: masks.Mask, x0: int, y0: int, width: int, height: int) -> dict[str, Any]:
    counts = masks.coco_counts_of_crop(rows, x0_px=x0, y0_px=y0, width_px=width, height_px=height)
    return {"size": [height, width], "counts": masks.coco_counts_to_text(counts)}


def _of_pixels(tiles: Mapping[str, masks.Mask], width: int, height: int) -> dict[str, Any] | None:
    """Segmentation, box and area of mask tiles; laid out no larger than the tiles reach."""
    filled = {masks.parse_tile_key(key): tile for key, tile in tiles.items() if tile.any()}
    if not filled:
        return None
    tx0, ty0 = min(x for x, _ in filled), min(y for _, y in filled)
    tx1, ty1 = max(x for x, _ in filled) + 1, max(y for _, y in filled) + 1
    size = masks.TILE_PX
    window = np.zeros(((ty1 - ty0) * size, (tx1 - tx0) * size), dtype=np.bool_)
    for (tx, ty), tile in filled.items():
        window[(ty - ty0) * size : (ty - ty0 + 1) * size, (tx - tx0) * size : (tx - tx0 + 1) * size] = tile
    rows, columns = np.flatnonzero(window.any(axis=1)), np.flatnonzero(window.any(axis=0))
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    crop = window[y0:y1, x0:x1]
    x0, y0 = x0 + tx0 * size, y0 + ty0 * size
    return {
        "segmentation": _rle(crop, x0, y0, width, height),
        "bbox": [x0, y0, int(crop.shape[1]), int(crop.shape[0])],
        "area": int(np.count_nonzero(crop)),
    }


def _of_region(
    region: Mapping[str, Any], shape: Shape, asset: AssetInfo, part_bytes: PartBytes
) -> dict[str, Any] | None:
    """COCO's keys of one region, or None where it has neither outline nor pixels."""
    if region["shape"] == "box":
        box = region["geometry"]
        wide, high = _plain(box["x1"] - box["x0"]), _plain(box["y1"] - box["y0"])
        return {"segmentation": [], "bbox": [box["x0"], box["y0"], wide, high], "area": _plain(wide * high)}
    width, height = asset.width or 0, asset.height or 0
    tiles = shape.tiles(region["geometry"])
    if tiles is not None:
        decoded = {key: masks.decode_part(part_bytes(part)) for key, part in tiles.items()}
        return _of_pixels(decoded, width, height)
    rings = shape.rings(region["geometry"])
    if rings is None:
        return None
    if len(rings) > 1:
        return _of_pixels(masks.rasterise_to_tiles(rings, width_px=width, height_px=height), width, height)
    x0, y0, x1, y1 = geometry.polygon_bounds(rings)
    return {
        "segmentation": [[value for point in rings[0] for value in point]],
        "bbox": [_plain(x0), _plain(y0), _plain(x1 - x0), _plain(y1 - y0)],
        "area": _plain(geometry.polygon_area(rings)),
    }


class _Coco:
    def __init__(self, header: Header, output: Output, part_bytes: PartBytes) -> None:
        self.header, self.output, self.part_bytes = header, output, part_bytes
        self.images = output.aside("coco-images")
        self.annotations = output.aside("coco-annotations")
        self.file = output.file(FILE)
        self.n_images = self.n_annotations = 0
        self.categories: dict[str, int] = {}
        for name in header.schema.labels:
            self.categories[name] = len(self.categories) + 1

    def _lost(self, entry: Entry, code: str, region: str | None = None, **extra: Any) -> None:
        self.output.lost(ID, entry.key, code, region, **extra)

    def add(self, entry: Entry) -> None:
        images: dict[str, int] = {}
        infos: dict[str, AssetInfo] = {}
        for asset in entry.assets:
            infos[asset["id"]] = AssetInfo(
                asset["id"],
                asset["role"],
                asset["kind"],
                asset.get("width"),
                asset.get("height"),
                asset.get("text"),
            )
            if asset["kind"] != "image":
                self._lost(entry, "asset_not_held", asset=asset["id"], kind=asset["kind"])
                continue
            self.n_images += 1
            images[asset["id"]] = self.n_images
            image = {
                "id": self.n_images,
                "file_name": asset["name"] or asset["sha256"],
                "width": asset.get("width"),
                "height": asset.get("height"),
                "key": entry.key,
                "asset": asset["id"],
                "sha256": asset["sha256"],
            }
            self.images.write(b",\n" if self.n_images > 1 else b"", canonical(image))
        for name in sorted(entry.document["answers"]):
            self._lost(entry, "answer_not_held", control=name)
        for name in sorted(entry.document.keys() - {"format", "regions", "answers", "unusable"}):
            self._lost(entry, "key_not_held", name=name)
        for region_id, region in sorted(entry.document["regions"].items()):
            self._add_region(entry, region_id, region, infos, images)

    def _add_region(
        self,
        entry: Entry,
        region_id: str,
        region: Mapping[str, Any],
        infos: Mapping[str, AssetInfo],
        images: Mapping[str, int],
    ) -> None:
        shape = SHAPES.find(region["shape"])
        if shape is None:
            self._lost(entry, "shape_unknown", region_id, shape=region["shape"])
            return
        asset = asset_of(dict(region), infos, shape.ASSET_KIND)
        if asset is None or asset.id not in images:
            self._lost(entry, "shape_not_held", region_id, shape=region["shape"])
            return
        found = _of_region(region, shape, asset, self.part_bytes)
        if found is None:
            self._lost(entry, "shape_not_held", region_id, shape=region["shape"])
            return
        if not (region.keys() <= HELD and region["geometry"].keys() <= HELD_OF_GEOMETRY):
            for name in sorted(region.keys() - HELD):
                self._lost(entry, "key_not_held", region_id, name=name)
            for name in sorted(region["geometry"].keys() - HELD_OF_GEOMETRY):
                self._lost(entry, "key_not_held", region_id, name=f"geometry.{name}")
        label = region["label"]
        if label not in self.categories:
            self.categories[label] = len(self.categories) + 1
        self.n_annotations += 1
        # Written out by hand, keys in canonical order: this line is most of a release's work. Numbers here
        # are integers and thousandths below a million, which Python writes as ES6 does.
        segmentation = found["segmentation"]
        self.annotations.write(
            b",\n" if self.n_annotations > 1 else b"",
            (
                f'{{"area":{found["area"]},"attributes":{_json(region["attributes"])},'
                f'"bbox":[{",".join(map(str, found["bbox"]))}],"category_id":{self.categories[label]},'
                f'"id":{self.n_annotations},"image_id":{images[asset.id]},"iscrowd":0,"region":{_json(region_id)},'
                f'"segmentation":{_json(segmentation)},"shape":{_json(region["shape"])}}}'
            ).encode(),
        )

    def _categories(self) -> Sequence[dict[str, Any]]:
        labels = self.header.schema.labels
        return [
            {
                "id": number,
                "name": name,
                "supercategory": (labels[name]["parent"] or "") if name in labels else "",
            }
            for name, number in self.categories.items()
        ]

    def close(self) -> None:
        header = self.header
        info = {
            "description": header.title,
            "version": str(header.number),
            "date_created": header.at,
            "year": int(header.at[:4]),
            "event": header.event_seq,
        }
        for part in (self.images, self.annotations):
            part.close()
        self.file.write(
            b'{"info":', canonical(info), b',"licenses":[],\n"categories":', canonical(self._categories())
        )
        self.file.write(b',\n"images":[\n')
        self.file.write_file(self.images.path)
        self.file.write(b'\n],\n"annotations":[\n')
        self.file.write_file(self.annotations.path)
        self.file.write(b"\n]}\n")
        self.file.close()
        for part in (self.images, self.annotations):
            part.path.unlink()


def writer(header: Header, output: Output, part_bytes: PartBytes) -> Writer:
    return _Coco(header, output, part_bytes)
