"""`f1_iou.v1`: region agreement: twice the agreeing pairs over the regions of both (the F1 of one against the
other).

A pair agrees when its extents are within tolerance and its labels are equal. Open sets of regions have no
true negatives, so chance correction tends to this value and is not shown instead of it.
"""

from __future__ import annotations

from review.core.agreement._pair import AnnotationPair
from review.core.extents import Parts, no_parts
from review.core.values import Measured, Undefined, Value

ID = "f1_iou.v1"
TITLE = "Region agreement (F1)"


def measure(pair: AnnotationPair, label: str | None = None, *, parts: Parts = no_parts) -> Value:
    """n = regions of both sides. Both without regions: Undefined("both_empty"), never 1."""
    if pair.one_unusable() or pair.both_unusable():
        return Undefined("unusable")
    regions = sum(label is None or pair.label_a(name) == label for name in pair.a["regions"])
    regions += sum(label is None or pair.label_b(name) == label for name in pair.b["regions"])
    if regions == 0:
        return Undefined("both_empty")
    agreeing = sum(
        2
        for found in pair.matching.pairs
        if pair.label_a(found.a) == pair.label_b(found.b)
        and (label is None or pair.label_a(found.a) == label)
        and pair.within(found)
    )
    return Measured(agreeing / regions, regions, agreeing, regions)
