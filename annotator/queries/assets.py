"""Reads: an item's assets as the checks and the bench need them."""

from __future__ import annotations

from typing import Any

from annotator import sql
from annotator.core.document import AssetInfo
from annotator.models import Asset


def item_assets(item_pk: int) -> list[tuple[str, Asset]]:
    """(role, asset) in order."""
    roles = sql.rows("SELECT role, asset_id FROM annotator_itemasset WHERE item_id = %s ORDER BY position", [item_pk])
    within = "id IN (SELECT asset_id FROM annotator_itemasset WHERE item_id = %s)"
    assets = {a.pk: a for a in sql.many(Asset, within, [item_pk])}
    return [(role, assets[pk]) for role, pk in roles]


def asset_infos(item_pk: int) -> dict[str, AssetInfo]:
    """What checking a document needs, by asset id; long texts are read from the blob store."""
    return {
        a.public_id: AssetInfo(
            id=a.public_id, role=role, kind=a.kind, width=a.width, height=a.height, text=text_of(a)
        )
        for role, a in item_assets(item_pk)
    }


def text_of(asset: Asset) -> str | None:
    """The text of a text asset, None for others."""
    if asset.kind != "text":
        return None
    if asset.text is not None:
        return asset.text
    from annotator import blobs

    return blobs.read(asset.sha256).decode("utf-8")


def asset_json(role: str, asset: Asset) -> dict[str, Any]:
    """One asset in Work."""
    body: dict[str, Any] = {
        "id": asset.public_id,
        "role": role,
        "kind": asset.kind,
        "name": asset.name,
        "url": f"/api/assets/{asset.public_id}/file",
        "width": asset.width,
        "height": asset.height,
    }
    if asset.kind == "text":
        body["text"] = text_of(asset)
    return body
