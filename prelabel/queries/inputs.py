"""Reads: which asset of an item a rule or a model looks at, and its pixels or text.

Pictures are decoded in the calling worker, header-checked before by the import; Pillow and numpy are
imported here only
when a picture is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from annotator import blobs
from annotator.core.errors import Invalid, TooLarge
from annotator.models import Asset, ItemAsset
from annotator.queries.assets import text_of

if TYPE_CHECKING:
    from prelabel.core.samples import Picture, Sample

MAX_PIXELS = 50_000_000
"""A larger picture is not prelabelled (its pixels alone are 150 MB); the run says how many."""


def role_for(schema: Mapping[str, Any], shapes: Iterable[str]) -> str | None:
    """The asset role that the first regions control with one of these shapes lies on; None = any."""
    wanted = set(shapes)
    for control in schema.get("controls", ()):
        if control.get("kind") == "regions" and wanted & set(control.get("shapes", ())):
            role = control.get("asset")
            return role if isinstance(role, str) else None
    return None


def assets_for(item_pks: Iterable[int], kind: str, role: str | None) -> dict[int, Asset]:
    """item -> its first ready asset of the kind, in the role when it has one there."""
    found: dict[int, Asset] = {}
    rows = (
        ItemAsset.objects.filter(item_id__in=list(item_pks), asset__kind=kind, asset__state="ready")
        .select_related("asset")
        .order_by("item_id", "position")
    )
    in_role: set[int] = set()
    for row in rows:
        if row.item_id not in found:
            found[row.item_id] = row.asset
        elif role is None or row.role != role or row.item_id in in_role:
            continue
        if role is not None and row.role == role:
            found[row.item_id] = row.asset
            in_role.add(row.item_id)
    return found


def picture(asset: Asset) -> Picture:
    """Pixels as uint8 RGB in the stored frame (no orientation flag applied). Raises Invalid, TooLarge."""
    import numpy as np
    from PIL import Image

    if (asset.width or 0) * (asset.height or 0) > MAX_PIXELS:
        raise TooLarge("too_many_pixels", "The picture is too large to be prelabelled.", limit=MAX_PIXELS)
    try:
        with (
            blobs.open_blob(asset.sha256) as file,
            Image.open(file, formats=("PNG", "JPEG", "WEBP", "BMP")) as opened,
        ):
            if opened.mode.startswith(("I", "F")):
                # More than 8 bits: the whole range is stretched, since no window is known here.
                values = np.asarray(opened, np.float32)
                low, high = float(values.min()), float(values.max())
                grey = ((values - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
                return np.repeat(grey[:, :, None], 3, axis=2)
            return np.asarray(opened.convert("RGB"))
    except Exception as error:  # decoders fail in many ways on damaged files; all mean the same here
        raise Invalid(
            "picture_damaged", "The picture cannot be decoded.", detail=type(error).__name__
        ) from error


def sample(item_key: str, asset: Asset) -> Sample:
    """The sample of one item; a picture is decoded when it is asked for."""
    from prelabel.core.samples import Sample

    if asset.kind == "text":
        return Sample(item_key, sha256=asset.sha256, text=text_of(asset))
    return Sample(item_key, picture=lambda: picture(asset), sha256=asset.sha256)
