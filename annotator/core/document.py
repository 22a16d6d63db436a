"""The annotation document, format 1: parse, keep what is unknown, refuse what cannot be stored.

Pure. Structure only: what a label may be is `schema.py`, what a geometry may be is `annotator.shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotator.core.canonical import digest as canonical_digest
from annotator.core.errors import Invalid, TooLarge
from annotator.core.ids import is_region_id

FORMAT = 1
MAX_REGIONS = 20_000
MAX_UNUSABLE_CHARS = 2_000
MAX_NAME_CHARS = 200
MAX_TEXT_CHARS = 200_000
ORIGIN_KINDS = ("drawn", "kept", "edited", "copied", "bulk", "imported")

Document = dict[str, Any]
Region = dict[str, Any]


@dataclass(frozen=True)
class AssetInfo:
    """What checking a region needs to know of the asset it lies on; sizes in pixels of the stored frame."""

    id: str
    role: str
    kind: str
    width: int | None = None
    height: int | None = None
    text: str | None = None


def empty() -> Document:
    return {"format": FORMAT, "regions": {}, "answers": {}, "unusable": None}


def digest(document: Mapping[str, Any]) -> str:
    return canonical_digest(document)


def _name(value: object, field: str) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_NAME_CHARS:
        raise Invalid("not_a_name", "A name is a text of 1 to 200 characters.", field=field)
    return value


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=field)
    return value


def check_origin(value: object, field: str) -> None:
    origin = _object(value, field)
    if origin.get("kind") not in ORIGIN_KINDS:
        raise Invalid(
            "unknown_origin",
            "The origin of a region is of a kind that is not known.",
            field=f"{field}.kind",
            cure="Use one of: " + ", ".join(ORIGIN_KINDS) + ".",
        )
    for name in ("prelabel", "region", "source"):
        if name in origin:
            _name(origin[name], f"{field}.{name}")


def check_region(value: object, field: str, *, region_id: str | None = None) -> Region:
    """The region itself, unchanged, once its structure is right; keys it does not know are left alone."""
    region = _object(value, field)
    if not is_region_id(region.get("id")):
        raise Invalid("bad_region_id", "A region id is 'r_' and 16 base32 letters.", field=f"{field}.id")
    if region_id is not None and region["id"] != region_id:
        raise Invalid(
            "region_id_differs", "A region stands under another id than its own.", field=f"{field}.id"
        )
    _name(region.get("shape"), f"{field}.shape")
    _name(region.get("label"), f"{field}.label")
    _object(region.get("geometry"), f"{field}.geometry")
    for name, entry in _object(region.get("attributes"), f"{field}.attributes").items():
        if entry is None:
            raise Invalid(
                "null_value", "An absent value is left out, not null.", field=f"{field}.attributes.{name}"
            )
    if "asset" not in region:
        raise Invalid(
            "missing_key", "A key is missing.", field=f"{field}.asset", cure="Name the asset, or null."
        )
    if region["asset"] is not None:
        _name(region["asset"], f"{field}.asset")
    check_origin(region.get("origin"), f"{field}.origin")
    for name, low in (("z", None), ("frame", 0)):
        if name in region:
            number = region[name]
            whole = isinstance(number, int) and not isinstance(number, bool) and abs(number) < 1 << 31
            if not whole or (low is not None and number < low):
                raise Invalid("not_a_whole_number", "A whole number is wanted here.", field=f"{field}.{name}")
    return region


def complete_region(value: object, field: str, *, region_id: str, origin: Mapping[str, Any]) -> Region:
    """A region as importers and rules write it (no id, attributes, asset or origin wanted), made whole."""
    region = dict(_object(value, field))
    region.setdefault("attributes", {})
    region.setdefault("asset", None)
    region.setdefault("origin", dict(origin))
    region["id"] = region_id
    return check_region(region, field)


def parse(value: object) -> Document:
    """A whole document from outside, defaults filled in; Invalid names the place. Unknown keys are kept."""
    document = dict(_object(value, "document"))
    number = document.setdefault("format", FORMAT)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise Invalid("bad_format", "The format of a document is a whole number.", field="format")
    if number > FORMAT:
        raise Invalid(
            "format_too_new", "The document has a format that this version does not read.", field="format"
        )
    regions = _object(document.setdefault("regions", {}), "regions")
    if len(regions) > MAX_REGIONS:
        raise TooLarge(
            "too_many_regions", "A document holds too many regions.", field="regions", limit=MAX_REGIONS
        )
    for region_id, region in regions.items():
        check_region(region, f"regions.{region_id}", region_id=region_id)
    answers = _object(document.setdefault("answers", {}), "answers")
    for name, entry in answers.items():
        if entry is None:
            raise Invalid("null_value", "An absent value is left out, not null.", field=f"answers.{name}")
    check_unusable(document.setdefault("unusable", None))
    return document


def check_unusable(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_UNUSABLE_CHARS:
        raise Invalid(
            "unusable_without_reason",
            "An item is marked unusable with a reason of 1 to 2,000 characters.",
            field="unusable",
        )


def part_digests(document: Mapping[str, Any]) -> set[str]:
    """Digests of all mask parts that the document names."""
    found: set[str] = set()
    for region in document["regions"].values():
        found |= geometry_parts(region["geometry"])
    return found


def geometry_parts(geometry: object) -> set[str]:
    tiles = geometry.get("tiles") if isinstance(geometry, dict) else None
    return {part for part in tiles.values() if isinstance(part, str)} if isinstance(tiles, dict) else set()
