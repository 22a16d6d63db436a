"""label: all drew the object, under different labels. The chosen side's attributes come with its label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.core.errors import Invalid
from review.core.differences._model import (
    EDIT,
    NONE,
    Case,
    Change,
    Difference,
    Document,
    choice_of,
    edited_value,
    removed,
    replaced,
)
from review.core.rules import worst

ID = "label.v1"
KIND = "label"
TITLE = "Different label"
ORDER = 3
LEVEL = "region"


def find(case: Case) -> list[Difference]:
    assert case.group is not None
    if not case.complete:
        return []
    labels = {side: case.region(side).get("label") for side in sorted(case.group.members)}
    if len(set(labels.values())) == 1:
        return []
    return [
        Difference(
            kind=KIND,
            key=f"{KIND}:{case.group.name}",
            severity=worst([case.rules.severity(label) for label in labels.values()]),
            label=str(labels[case.group.base] or ""),
            regions=case.regions_by_side(),
            field="label",
            values=labels,
            group=case.group.name,
            base=case.group.base,
        )
    ]


def apply(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[Change]:
    region = document["regions"].get(difference.regions[difference.base])
    if region is None:  # an earlier answer said that the object is not there
        return []
    choice = choice_of(difference, decision)
    if choice == NONE:
        return removed(region)
    if choice == EDIT:
        value = edited_value(decision)
        if not isinstance(value, str):
            raise Invalid("label_not_text", "A label is named by a text.", field="value")
        attributes = decision.get("attributes")
        return replaced(region, label=value, attributes=attributes if isinstance(attributes, dict) else {})
    name = difference.regions[choice]
    taken = sides[choice]["regions"][name]
    return replaced(region, label=taken["label"], attributes=dict(taken.get("attributes") or {}))
