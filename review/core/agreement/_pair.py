"""What measures read: two documents, their matching, the rules. Not a measure itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from review.core.extents import Parts, no_parts
from review.core.matching import Matching, Pair, match
from review.core.rules import Rules


@dataclass(frozen=True)
class AnnotationPair:
    """Two usable annotations of one item in one round."""

    a: Mapping[str, Any]
    b: Mapping[str, Any]
    rules: Rules
    matching: Matching

    @classmethod
    def of(
        cls, a: Mapping[str, Any], b: Mapping[str, Any], rules: Rules, *, parts: Parts = no_parts
    ) -> AnnotationPair:
        found = match(
            a["regions"], b["regions"], match_iou=rules.match_iou, edge_px=rules.edge_px, parts=parts
        )
        return cls(a, b, rules, found)

    def label_a(self, name: str) -> str:
        return str(self.a["regions"][name].get("label") or "")

    def label_b(self, name: str) -> str:
        return str(self.b["regions"][name].get("label") or "")

    def within(self, pair: Pair) -> bool:
        """Extent within the tolerance of the pair's labels."""
        iou, _ = self.rules.tolerance([self.label_a(pair.a), self.label_b(pair.b)])
        return pair.iou >= iou or pair.close

    def labels(self) -> list[str]:
        found = {self.label_a(name) for name in self.a["regions"]}
        return sorted(found | {self.label_b(name) for name in self.b["regions"]})

    def one_unusable(self) -> bool:
        return (self.a.get("unusable") is None) != (self.b.get("unusable") is None)

    def both_unusable(self) -> bool:
        return self.a.get("unusable") is not None and self.b.get("unusable") is not None
