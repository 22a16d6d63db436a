"""A stretch of text: {"start", "end", "quote"} in code points, half-open; the quote is what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.core.document import AssetInfo
from annotator.core.errors import Invalid
from annotator.core.spans import quote_of
from annotator.shapes._pixels import object_of

ID = "span.v1"
ASSET_KIND = "text"
CHANGE_KINDS = ("add", "remove", "replace", "set")


def parse(
    geometry: Any, asset: AssetInfo | None, *, field: str, exact: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A missing quote is filled in with a warning (refused in a save); a wrong one is always refused,
    because it tells that the sender counts other units than code points, or reads another text."""
    found = dict(object_of(geometry, {"start", "end"}, field))
    if asset is None or asset.kind != "text" or asset.text is None:
        raise Invalid("needs_text", "This shape lies on a text.", field=field)
    for name in ("start", "end"):
        if isinstance(found[name], bool) or not isinstance(found[name], int):
            raise Invalid("not_a_whole_number", "A whole number is wanted here.", field=f"{field}.{name}")
    try:
        quote = quote_of(asset.text, found["start"], found["end"])
    except Invalid as error:
        raise Invalid(error.code, error.message, field=f"{field}.end", cure="Count in code points.") from None
    if "quote" not in found:
        if exact:
            raise Invalid(
                "missing_key", "A key is missing.", field=f"{field}.quote", cure="Send the marked text."
            )
        found["quote"] = quote
        return found, [{"code": "quote_added", "message": "The marked text was filled in.", "field": field}]
    if found["quote"] != quote:
        raise Invalid(
            "quote_differs",
            "The quote is not what stands at this place of the text.",
            field=f"{field}.quote",
            cure="Count in Unicode code points, not in UTF-16 units or bytes.",
        )
    return found, []


def bounds(geometry: Mapping[str, Any], part_bytes: Any = None) -> tuple[float, float, float, float] | None:
    return None


def rings(geometry: Mapping[str, Any]) -> list[list[list[float]]] | None:
    return None


def tiles(geometry: Mapping[str, Any]) -> dict[str, str] | None:
    return None


def interval(geometry: Mapping[str, Any]) -> tuple[int, int] | None:
    return geometry["start"], geometry["end"]


def is_empty(geometry: Mapping[str, Any]) -> bool:
    return False
