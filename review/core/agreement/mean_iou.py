"""`mean_iou.v1`: mean IoU of the matched pairs, whatever their labels. IoU 0.85 is Dice 0.919: never swap
names."""

from __future__ import annotations

from review.core.agreement._pair import AnnotationPair
from review.core.extents import Parts, no_parts
from review.core.matching import IOU_STEPS
from review.core.values import Measured, Undefined, Value

ID = "mean_iou.v1"
TITLE = "Mean IoU of matched regions"


def measure(pair: AnnotationPair, label: str | None = None, *, parts: Parts = no_parts) -> Value:
    """n = matched pairs. The sum is kept in steps of 1e-6, so that pooling is exact."""
    if pair.one_unusable() or pair.both_unusable():
        return Undefined("unusable")
    steps = [
        round(found.iou * IOU_STEPS)
        for found in pair.matching.pairs
        if label is None or label in (pair.label_a(found.a), pair.label_b(found.b))
    ]
    if not steps:
        empty = not pair.a["regions"] and not pair.b["regions"]
        return Undefined("both_empty" if empty else "nothing_matched")
    total, scale = sum(steps), len(steps) * IOU_STEPS
    return Measured(total / scale, len(steps), total, scale)
