"""Rules that the shapes on pictures share: numbers, rounding, the picture's edge."""

from __future__ import annotations

from typing import Any

from annotator.core.document import AssetInfo
from annotator.core.errors import Invalid
from annotator.core.geometry import is_number, round_px

EDGE_SLACK_PX = 0.5
"""A point this far beyond the picture is moved onto its edge, with a warning; farther out is refused."""
MAX_PX = 1_000_000


def picture_of(asset: AssetInfo | None, field: str) -> tuple[int, int]:
    """(width, height) of the asset; Invalid where a shape on pictures has no picture under it."""
    if asset is None or asset.kind != "image" or asset.width is None or asset.height is None:
        raise Invalid("needs_picture", "This shape lies on a picture.", field=field)
    return asset.width, asset.height


def number(value: object, field: str) -> float | int:
    if not is_number(value):
        raise Invalid("not_a_number", "A number is wanted here.", field=field)
    assert isinstance(value, int | float)
    if abs(value) > MAX_PX:
        raise Invalid("outside_picture", "The region reaches beyond its picture.", field=field)
    return value


def object_of(geometry: object, wanted: set[str], field: str) -> dict[str, Any]:
    if not isinstance(geometry, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=field)
    for name in sorted(wanted - geometry.keys()):
        raise Invalid("missing_key", "A key is missing.", field=f"{field}.{name}")
    return geometry


class Fit:
    """Brings coordinates to stored form and remembers whether it had to."""

    def __init__(self, field: str, exact: bool) -> None:
        self.field = field
        self.exact = exact
        self.warnings: list[dict[str, Any]] = []

    def warn(self, code: str, message: str, field: str, cure: str) -> None:
        if self.exact:
            raise Invalid(code, message, field=field, cure=cure)
        if not any(entry["code"] == code for entry in self.warnings):
            self.warnings.append({"code": code, "message": message, "field": self.field})

    def coordinate(self, value: object, limit: int, field: str) -> float | int:
        given = number(value, field)
        rounded = round_px(given)
        if rounded != given:
            self.warn(
                "coordinate_rounded",
                "Coordinates are stored in thousandths of a pixel.",
                field,
                "Round coordinates to three decimals.",
            )
        if 0 <= rounded <= limit:
            return rounded
        if not -EDGE_SLACK_PX <= rounded <= limit + EDGE_SLACK_PX:
            raise Invalid(
                "outside_picture",
                "The region reaches beyond its picture.",
                field=field,
                cure="Draw it within the picture.",
                limit=limit,
            )
        self.warn(
            "moved_to_edge",
            "The region reached up to half a pixel beyond its picture.",
            field,
            "Keep coordinates between 0 and the size of the picture.",
        )
        return 0 if rounded < 0 else limit
