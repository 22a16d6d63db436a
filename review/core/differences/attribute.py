"""attribute: same object, same label, another value of a required attribute. One question an attribute.

Attributes that are not required never make a difference (the region's author may leave them out); where they
differ the agreed region keeps its own and the consensus notes it.
"""

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
    edited_value,
    replaced,
)
from review.core.rules import attribute_value, comparable

ID = "attribute.v1"
KIND = "attribute"
TITLE = "Different attribute"
ORDER = 4
LEVEL = "region"


def unequal(case: Case, *, required: bool) -> list[tuple[str, dict[str, Any]]]:
    """(attribute, value by side) of those that differ; nothing when labels differ (other attributes then)."""
    assert case.group is not None
    sides = sorted(case.group.members)
    labels = {case.region(side).get("label") for side in sides}
    if len(labels) != 1:
        return []
    found = []
    for attribute in case.rules.attributes(str(labels.pop())):
        if bool(attribute.get("required")) is not required:
            continue
        values = {side: attribute_value(attribute, case.region(side)) for side in sides}
        if len({comparable(str(attribute.get("kind")), value) for value in values.values()}) > 1:
            found.append((str(attribute["name"]), values))
    return found


def find(case: Case) -> list[Difference]:
    assert case.group is not None
    if not case.complete:
        return []
    label = str(case.region(case.group.base).get("label") or "")
    return [
        Difference(
            kind=KIND,
            key=f"{KIND}:{case.group.name}:{name}",
            severity=case.rules.severity(label),
            label=label,
            regions=case.regions_by_side(),
            field=name,
            values=values,
            group=case.group.name,
            base=case.group.base,
        )
        for name, values in unequal(case, required=True)
    ]


def apply(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[Change]:
    region = document["regions"].get(difference.regions[difference.base])
    if region is None:
        return []
    choice = choice_of(difference, decision)
    if choice == NONE:
        value = None
    elif choice == EDIT:
        value = edited_value(decision)
    else:
        value = (difference.values or {}).get(choice)
    attributes = dict(region.get("attributes") or {})
    assert difference.field is not None
    if value is None:
        attributes.pop(difference.field, None)
    else:
        attributes[difference.field] = value
    return replaced(region, attributes=attributes)
