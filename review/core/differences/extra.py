"""extra: fewer than half of the people drew a region (three people or more). Never dropped by majority."""

from __future__ import annotations

from review.core.differences._model import Case, Difference
from review.core.differences.missing import apply, presence

ID = "extra.v1"
KIND = "extra"
TITLE = "Drawn by a minority"
ORDER = 1
LEVEL = "region"


def find(case: Case) -> list[Difference]:
    assert case.group is not None
    if case.complete or 2 * len(case.group.members) >= len(case.documents):
        return []
    return presence(case, KIND)


__all__ = ["ID", "KIND", "LEVEL", "ORDER", "TITLE", "apply", "find"]
