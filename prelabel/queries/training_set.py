"""Reads: what a model may learn from: accepted documents of normal items, never gold, never the holdout."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from annotator import blobs
from annotator.models import AcceptedDocument, Asset, Assignment, ChainHead, Item, Project
from prelabel.core import schema_view
from prelabel.core.kinds import SHAPES
from prelabel.core.samples import Example, Raster, Target
from prelabel.queries import inputs

PAGE = 200


def accepted(project: Project) -> Any:
    """Current accepted documents that may teach: of normal items outside the holdout."""
    return AcceptedDocument.objects.filter(
        task__project=project,
        task__state="accepted",
        current=True,
        task__item__use="normal",
        task__item__holdout=False,
    )


def count(project: Project) -> int:
    """How many accepted items there are to learn from (whatever the kind)."""
    return accepted(project).count()


def labels_for(project: Project, kind: str) -> list[str]:
    """Labels that a model of this kind may propose under the schema in force."""
    schema = project.schema.document if project.schema else {}
    return schema_view.labels_for(schema, SHAPES[kind])


def read(project: Project, kind: str) -> tuple[list[tuple[Item, Example]], dict[str, Any]]:
    """Examples with their items, oldest accepted first, and where they were read from.

    Documents that say unusable teach nothing. A region of a label that is retired or of another shape is
    left out of
    the target: under the schema in force nobody may draw it.
    """
    schema = project.schema.document if project.schema else {}
    labels = set(labels_for(project, kind))
    input_kind = "text" if kind == "text_class" else "image"
    role = inputs.role_for(schema, SHAPES[kind])
    head = ChainHead.objects.filter(chain=project.public_id).values_list("seq", flat=True).first() or 0
    out: list[tuple[Item, Example]] = []
    unusable = 0
    pks = list(accepted(project).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), PAGE):
        rows = list(
            AcceptedDocument.objects.filter(pk__in=pks[start : start + PAGE])
            .select_related("task__item")
            .order_by("pk")
        )
        assets = inputs.assets_for([row.task.item_id for row in rows], input_kind, role)
        seen = set(
            Assignment.objects.filter(
                task__in=[row.task_id for row in rows], stage="label", state="submitted"
            )
            .exclude(shown="none")
            .values_list("task_id", flat=True)
        )
        for row in rows:
            asset = assets.get(row.task.item_id)
            if row.document.get("unusable") is not None:
                unusable += 1
                continue
            if asset is None:
                continue
            item = row.task.item
            example = Example(
                sample=inputs.sample(item.public_id, asset),
                target=_target(row.document, kind, labels, asset),
                group=item.group or item.public_id,
                exposed=row.task_id in seen,
            )
            out.append((item, example))
    return out, {"event_seq": head, "n_unusable": unusable}


def _target(document: Mapping[str, Any], kind: str, labels: set[str], asset: Asset) -> Target:
    if kind == "text_class":
        return Target(answers={k: v for k, v in document.get("answers", {}).items() if isinstance(v, str)})
    regions = [
        region
        for _id, region in sorted(document.get("regions", {}).items())
        if region["label"] in labels
        and region["shape"] in SHAPES[kind]
        and region.get("asset") in (None, asset.public_id)
    ]
    if kind == "boxes":
        return Target(
            boxes=tuple(
                (region["label"], *(float(region["geometry"][key]) for key in ("x0", "y0", "x1", "y1")))
                for region in regions
            )  # type: ignore[arg-type]
        )
    return Target(rasters=partial(rasters, regions, asset.height or 0, asset.width or 0))


def rasters(regions: list[dict[str, Any]], height: int, width: int) -> dict[str, Raster]:
    """label -> all pixels of its masks and polygons; parts are read from the blob store."""
    import numpy as np

    from annotator.core import masks

    out: dict[str, Raster] = {}
    for region in regions:
        layer = out.setdefault(region["label"], np.zeros((height, width), np.bool_))
        geometry = region["geometry"]
        if region["shape"] == "polygon":
            layer |= masks.rasterise(geometry["rings"], x0_px=0, y0_px=0, width_px=width, height_px=height)
            continue
        for key, digest in geometry["tiles"].items():
            tx, ty = masks.parse_tile_key(key)
            y, x = ty * masks.TILE_PX, tx * masks.TILE_PX
            window = layer[y : y + masks.TILE_PX, x : x + masks.TILE_PX]
            window |= masks.decode_part(blobs.read(digest))[: window.shape[0], : window.shape[1]]
    return out
