"""usability: one says the item cannot be labelled, another labelled it.

Choosing a side that labelled makes the item usable; when it is the only one that labelled, its document is
taken whole, since there is nothing to compare it with (an arbiter who does not want that returns the task
instead).
"""

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
)

ID = "usability.v1"
KIND = "usability"
TITLE = "Usable or not"
ORDER = 0
LEVEL = "document"


def find(case: Case) -> list[Difference]:
    reasons = {side: document.get("unusable") for side, document in case.everybody.items()}
    said = [side for side, reason in reasons.items() if reason is not None]
    if not said or len(said) == len(reasons):
        return []
    return [
        Difference(
            kind=KIND,
            key=KIND,
            severity="A",  # the whole item hangs on it
            label="",
            regions=dict.fromkeys(sorted(reasons)),
            field="unusable",
            values={side: reasons[side] for side in sorted(reasons)},
        )
    ]


def reason(difference: Difference, decision: Mapping[str, Any]) -> str | None:
    """The decided reason why the item is unusable; None when it is usable."""
    choice = choice_of(difference, decision)
    if choice == NONE:
        raise Invalid("choice_not_possible", "An item is usable or it is not: choose a side.", field="choice")
    value = edited_value(decision) if choice == EDIT else (difference.values or {}).get(choice)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise Invalid("reason_missing", "An unusable item needs a reason.", field="value")
    return value


def apply(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[Change]:
    decided = reason(difference, decision)
    if decided is not None:
        changes: list[Change] = [
            {"op": "remove", "region": dict(region)} for region in document["regions"].values()
        ]
        changes += [
            {"op": "set", "path": ["answers", name], "before": value, "after": None}
            for name, value in document["answers"].items()
        ]
        return [
            *changes,
            {"op": "set", "path": ["unusable"], "before": document["unusable"], "after": decided},
        ]
    usable = [side for side, other in sides.items() if other.get("unusable") is None]
    if len(usable) != 1:
        return []
    taken = sides[usable[0]]
    changes = [{"op": "add", "region": dict(region)} for region in taken["regions"].values()]
    return changes + [
        {"op": "set", "path": ["answers", name], "before": None, "after": value}
        for name, value in taken["answers"].items()
        if value is not None
    ]
