"""`first_pass.v1`: 1 when the pair has no difference to decide, else 0. Its mean over tasks is the first-pass
rate."""

from __future__ import annotations

from annotator.core.errors import Invalid
from review.core.agreement._pair import AnnotationPair
from review.core.consensus import agreed_document
from review.core.extents import Parts, no_parts
from review.core.values import Measured, Undefined, Value

ID = "first_pass.v1"
TITLE = "Agreed at first pass"


def measure(pair: AnnotationPair, label: str | None = None, *, parts: Parts = no_parts) -> Value:
    """n = 1 (the task). Both unusable is agreement; an item without any region on both sides too."""
    if label is not None:
        return Undefined("not_by_label")
    schema = {"labels": list(pair.rules.labels.values()), "controls": list(pair.rules.answers)}
    try:
        found = agreed_document(
            {"a": pair.a, "b": pair.b}, schema, {"compare": pair.rules.compare}, b"", parts=parts
        )
    except Invalid as error:
        return Undefined(error.code)
    agreed = not found.differences
    return Measured(float(agreed), 1, int(agreed), 1)
