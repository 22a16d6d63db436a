"""`exact_answers.v1`: share of the controls without a region that both answered alike."""

from __future__ import annotations

from review.core.agreement._pair import AnnotationPair
from review.core.extents import Parts, no_parts
from review.core.rules import comparable
from review.core.values import Measured, Undefined, Value

ID = "exact_answers.v1"
TITLE = "Equal answers"


def measure(pair: AnnotationPair, label: str | None = None, *, parts: Parts = no_parts) -> Value:
    """n = controls that at least one answered. Labels have no part in it: with a label it is Undefined."""
    if label is not None:
        return Undefined("not_by_label")
    if pair.one_unusable() or pair.both_unusable():
        return Undefined("unusable")
    if not pair.rules.answers:
        return Undefined("no_answer_controls")
    asked = equal = 0
    for control in pair.rules.answers:
        name, kind = str(control["name"]), str(control.get("kind"))
        one = comparable(kind, (pair.a.get("answers") or {}).get(name))
        other = comparable(kind, (pair.b.get("answers") or {}).get(name))
        if one == other == comparable(kind, None):
            continue
        asked += 1
        equal += one == other
    if not asked:
        return Undefined("nothing_answered")
    return Measured(equal / asked, asked, equal, asked)
