"""missing: half of the people or more drew a region that the others have not. Of two people always this kind.

The question is symmetric (is it there?); the name only says which answer had more hands. Choosing a side that
has no region means: it is not there.
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
    edited_region,
)
from review.core.rules import worst

ID = "missing.v1"
KIND = "missing"
TITLE = "Drawn by some only"
ORDER = 1
LEVEL = "region"


def presence(case: Case, kind: str) -> list[Difference]:
    """The presence question of an incomplete group, under the given kind's name. Other questions about such a
    group (its label, its extent) are decided with it: a side's region is taken whole."""
    assert case.group is not None
    labels = sorted({str(case.region(side).get("label")) for side in case.group.members})
    return [
        Difference(
            kind=kind,
            key=f"{kind}:{case.group.name}",
            severity=worst([case.rules.severity(label) for label in labels]),
            label=str(case.region(case.group.base).get("label") or ""),
            regions=case.regions_by_side(),
            group=case.group.name,
            base=case.group.base,
        )
    ]


def find(case: Case) -> list[Difference]:
    assert case.group is not None
    if case.complete or 2 * len(case.group.members) < len(case.documents):
        return []
    return presence(case, KIND)


def apply(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[Change]:
    choice = choice_of(difference, decision)
    if choice == NONE:
        return []
    if choice == EDIT:
        return [{"op": "add", "region": edited_region(decision)}]
    name = difference.regions.get(choice)
    return [] if name is None else [{"op": "add", "region": dict(sides[choice]["regions"][name])}]
