"""extent: all drew the object, at least two of them further apart than the label's tolerance (IoU or
edges)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from review.core.differences._model import (
    EDIT,
    NONE,
    Case,
    Change,
    Difference,
    Document,
    choice_of,
    edited_region,
    removed,
    replaced,
)
from review.core.rules import worst

ID = "extent.v1"
KIND = "extent"
TITLE = "Different extent"
ORDER = 2
LEVEL = "region"


def within_tolerance(case: Case) -> bool:
    """Every pair of the group is alike: IoU >= t or every edge within e px."""
    assert case.group is not None
    sides = sorted(case.group.members)
    labels = [str(case.region(side).get("label") or "") for side in sides]
    iou, _ = case.rules.tolerance(labels)
    for index, one in enumerate(sides):
        for other in sides[index + 1 :]:
            found, close = case.group.likeness[one, other]
            if found < iou and not close:
                return False
    return True


def find(case: Case) -> list[Difference]:
    assert case.group is not None
    if not case.complete or within_tolerance(case):
        return []
    labels = sorted({str(case.region(side).get("label")) for side in case.group.members})
    return [
        Difference(
            kind=KIND,
            key=f"{KIND}:{case.group.name}",
            severity=worst([case.rules.severity(label) for label in labels]),
            label=str(case.region(case.group.base).get("label") or ""),
            regions=case.regions_by_side(),
            field="geometry",
            group=case.group.name,
            base=case.group.base,
        )
    ]


def apply(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[Change]:
    """The chosen geometry, with shape, asset and the way it was made; the object keeps its id."""
    region = document["regions"].get(difference.regions[difference.base])
    if region is None:
        return []
    choice = choice_of(difference, decision)
    if choice == NONE:
        return removed(region)
    taken = (
        edited_region(decision) if choice == EDIT else sides[choice]["regions"][difference.regions[choice]]
    )
    return replaced(region, shape=taken["shape"], geometry=taken["geometry"], origin=taken.get("origin"))
