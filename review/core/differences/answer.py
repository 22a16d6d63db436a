"""answer: a control without a region (choice, choices, text, number) was answered differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.core.canonical import same
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
from review.core.rules import comparable

ID = "answer.v1"
KIND = "answer"
TITLE = "Different answer"
ORDER = 5
LEVEL = "document"


def find(case: Case) -> list[Difference]:
    found = []
    for control in case.rules.answers:
        name = str(control["name"])
        values = {
            side: (document.get("answers") or {}).get(name)
            for side, document in sorted(case.documents.items())
        }
        if len({comparable(str(control.get("kind")), value) for value in values.values()}) > 1:
            found.append(
                Difference(
                    kind=KIND,
                    key=f"{KIND}:{name}",
                    severity=case.rules.answer_severity(control),
                    label="",
                    regions=dict.fromkeys(values),
                    field=name,
                    values=values,
                )
            )
    return found


def apply(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[Change]:
    choice = choice_of(difference, decision)
    if choice == NONE:
        after = None
    elif choice == EDIT:
        after = edited_value(decision)
    else:
        after = (difference.values or {}).get(choice)
    before = document["answers"].get(difference.field)
    if (before is None and after is None) or (
        before is not None and after is not None and same(before, after)
    ):
        return []
    return [{"op": "set", "path": ["answers", difference.field], "before": before, "after": after}]
