"""A mask of sparse 256-pixel tiles: {"tiles": {"tx,ty": part digest}}; all-background tiles are absent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from annotator.core.document import AssetInfo
from annotator.core.errors import Invalid
from annotator.core.ids import is_digest
from annotator.core.masks import EMPTY_PART_DIGEST, TILE_PX, decode_part, parse_tile_key, tiles_bounds
from annotator.shapes._pixels import object_of, picture_of

ID = "mask.v1"
ASSET_KIND = "image"
CHANGE_KINDS = ("add", "remove", "replace", "set", "tile")


def parse(
    geometry: Any, asset: AssetInfo | None, *, field: str, exact: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Tiles lie on the picture and name parts. That a part is there, and holds no foreground beyond the
    picture, is checked by `annotator.core.masks` where the bytes are (see `check_tile`)."""
    found = dict(object_of(geometry, {"tiles"}, field))
    width, height = picture_of(asset, field)
    if not isinstance(found["tiles"], dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=f"{field}.tiles")
    for key, digest in found["tiles"].items():
        place = f"{field}.tiles.{key}"
        tx, ty = parse_tile_key(key, place)
        if tx * TILE_PX >= width or ty * TILE_PX >= height:
            raise Invalid("outside_picture", "The region reaches beyond its picture.", field=place)
        if not is_digest(digest):
            raise Invalid("bad_part_digest", "A mask part is named by its sha256 digest.", field=place)
        if digest == EMPTY_PART_DIGEST:
            raise Invalid(
                "empty_tile",
                "A tile without foreground is absent from its mask.",
                field=place,
                cure="Leave it out.",
            )
    return found, []


def check_tile(raw: bytes, key: str, asset: AssetInfo, *, field: str) -> None:
    """Invalid unless the part is canonical and its foreground lies on the picture."""
    width, height = picture_of(asset, field)
    tx, ty = parse_tile_key(key)
    pixels = decode_part(raw)
    inside_x, inside_y = max(0, width - tx * TILE_PX), max(0, height - ty * TILE_PX)
    if pixels[inside_y:, :].any() or pixels[:, inside_x:].any():
        raise Invalid("outside_picture", "The region reaches beyond its picture.", field=field)


def bounds(
    geometry: Mapping[str, Any], part_bytes: Callable[[str], bytes] | None = None
) -> tuple[float, float, float, float] | None:
    return tiles_bounds(geometry["tiles"], part_bytes) if part_bytes is not None else None


def rings(geometry: Mapping[str, Any]) -> list[list[list[float]]] | None:
    return None


def tiles(geometry: Mapping[str, Any]) -> dict[str, str] | None:
    return dict(geometry["tiles"])


def interval(geometry: Mapping[str, Any]) -> tuple[int, int] | None:
    return None


def is_empty(geometry: Mapping[str, Any]) -> bool:
    return not geometry["tiles"]
