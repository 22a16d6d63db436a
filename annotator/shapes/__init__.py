"""Shapes: one kind of region a file. A file states how a geometry is checked and onto what it projects.

Formats, measures and views work on projections (`bounds`, `rings`, `tiles`, `interval`), so that a new
shape is one file. Pure numpy; uses `annotator.core` only. An unknown shape stays readable: `SHAPES.find`
gives None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from annotator.core import masks
from annotator.core import schema as core_schema
from annotator.core.document import AssetInfo, Document, Region
from annotator.core.registry import Registry
from annotator.core.schema import PartBytes, Problem, Schema, asset_of

Bounds = tuple[float, float, float, float]
Geometry = dict[str, Any]
Warned = dict[str, Any]
"""{"code", "field", "message"}: what was altered on the way in, said to whoever sent it."""


class Shape(Protocol):
    """What a shape file holds at module level."""

    ID: str
    ASSET_KIND: str
    """Kind of asset the shape lies on: image or text."""
    CHANGE_KINDS: tuple[str, ...]
    """Ops of the change grammar with which it is edited."""

    def parse(
        self, geometry: Any, asset: AssetInfo | None, *, field: str, exact: bool = ...
    ) -> tuple[Geometry, list[Warned]]:
        """The geometry as stored, with what had to be altered; Invalid names the field and the cure.

        `exact` (a save) alters nothing: what is not in stored form is refused, so that what was sent, what is
        stored and what the sender's digest covers are one.
        """

    def bounds(self, geometry: Mapping[str, Any], part_bytes: PartBytes | None = ...) -> Bounds | None:
        """x0, y0, x1, y1 in image pixels; None where the shape has none, or (masks) without `part_bytes`."""

    def rings(self, geometry: Mapping[str, Any]) -> list[list[list[float]]] | None:
        """Outer ring and holes in image pixels; None where the shape is no outline."""

    def tiles(self, geometry: Mapping[str, Any]) -> dict[str, str] | None:
        """Mask tile -> part digest; None where the shape is not stored as tiles."""

    def interval(self, geometry: Mapping[str, Any]) -> tuple[int, int] | None:
        """Half-open code points; None where the shape does not lie in text."""

    def is_empty(self, geometry: Mapping[str, Any]) -> bool:
        """May be saved while drawn, not submitted."""


class ShapeRegistry(Registry[Shape]):
    """The registry of shapes, and what two regions of any shapes can be asked."""

    def overlap(
        self, one: Region, other: Region, assets: Mapping[str, AssetInfo], part_bytes: PartBytes | None
    ) -> bool:
        """Do two regions of one asset share ground (code points, or for outlines and masks pixels)?

        Boxes are compared as they are; touching is not sharing. What cannot be known without `part_bytes`
        is no.
        """
        if one["asset"] != other["asset"]:
            return False
        first, second = self.find(one["shape"]), self.find(other["shape"])
        if first is None or second is None:
            return False
        a, b = first.interval(one["geometry"]), second.interval(other["geometry"])
        if a is not None and b is not None:
            return max(a[0], b[0]) < min(a[1], b[1])
        box_a, box_b = first.bounds(one["geometry"], part_bytes), second.bounds(other["geometry"], part_bytes)
        if box_a is None or box_b is None:
            return False
        if max(box_a[0], box_b[0]) >= min(box_a[2], box_b[2]) or max(box_a[1], box_b[1]) >= min(
            box_a[3], box_b[3]
        ):
            return False
        if one["shape"] == other["shape"] == "box":
            return True
        asset = asset_of(one, assets, first.ASSET_KIND)
        tiles_a = self.pixels(one, asset, part_bytes)
        tiles_b = self.pixels(other, asset, part_bytes)
        return any((tiles_a[key] & tiles_b[key]).any() for key in tiles_a.keys() & tiles_b.keys())

    def pixels(
        self, region: Region, asset: AssetInfo | None, part_bytes: PartBytes | None
    ) -> dict[str, masks.Mask]:
        """The region as mask tiles in pixels: from its parts, or from its rings. {} where it has neither."""
        shape = self.find(region["shape"])
        if shape is None:
            return {}
        tiles = shape.tiles(region["geometry"])
        if tiles is not None:
            return (
                {key: masks.decode_part(part_bytes(part)) for key, part in tiles.items()}
                if part_bytes
                else {}
            )
        rings = shape.rings(region["geometry"])
        if rings is None or asset is None or asset.width is None or asset.height is None:
            return {}
        return masks.rasterise_to_tiles(rings, width_px=asset.width, height_px=asset.height)


SHAPES = ShapeRegistry("annotator.shapes")


def check_document(
    document: Document,
    schema: Schema,
    assets: Mapping[str, AssetInfo],
    *,
    mode: str,
    only: set[str] | None = None,
    part_bytes: PartBytes | None = None,
) -> list[Problem]:
    """`annotator.core.schema.check_document` with the shapes that are installed."""
    return core_schema.check_document(
        document, schema, assets, mode=mode, shapes=SHAPES, only=only, part_bytes=part_bytes
    )


def parse_schema(document: object) -> Schema:
    """`annotator.core.schema.parse_schema` with the shapes that are installed."""
    return core_schema.parse_schema(document, shapes=SHAPES)
