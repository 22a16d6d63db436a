"""What the schema and the workflow say about comparing: classes, tolerances, attributes, answer controls.

Pure: reads the two documents as they are stored and never changes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotator.core.canonical import canonical

CLASSES = ("A", "B", "C")
"""From critical to minor. A label that the schema does not know is A: an unknown thing is looked at by the
expert."""

DEFAULT_IOU, DEFAULT_EDGE_PX, DEFAULT_MATCH_IOU = 0.85, 2.0, 0.5


def worst(classes: Sequence[str]) -> str:
    """The most critical of some classes; C for none."""
    return min(classes, default="C")


@dataclass(frozen=True)
class Rules:
    """Schema and workflow, indexed for comparison."""

    labels: Mapping[str, Mapping[str, Any]]
    answers: tuple[Mapping[str, Any], ...]
    compare: Mapping[str, Any]

    @classmethod
    def of(cls, schema: Mapping[str, Any], workflow: Mapping[str, Any]) -> Rules:
        return cls(
            {str(label["name"]): label for label in schema.get("labels", [])},
            tuple(control for control in schema.get("controls", []) if control.get("kind") != "regions"),
            workflow.get("compare") or {},
        )

    def severity(self, label: str | None) -> str:
        found = self.labels.get(label or "")
        name = "A" if found is None else str(found.get("class") or "B")
        return name if name in CLASSES else "A"

    def answer_severity(self, control: Mapping[str, Any]) -> str:
        name = str(control.get("class") or "B")
        return name if name in CLASSES else "A"

    @property
    def match_iou(self) -> float:
        return float(self.compare.get("match_iou", DEFAULT_MATCH_IOU))

    @property
    def edge_px(self) -> float:
        """The largest edge tolerance of any label: pairs are looked for with it, judged by their own."""
        own = [float(entry.get("edge_px", 0)) for entry in (self.compare.get("labels") or {}).values()]
        return max([float(self.compare.get("edge_px", DEFAULT_EDGE_PX)), *own])

    def tolerance(self, labels: Sequence[str]) -> tuple[float, float]:
        """(IoU, px) for a pair with these labels: of two labels the stricter of each figure."""
        per_label = self.compare.get("labels") or {}
        ious, edges = [], []
        for label in labels or [""]:
            entry = per_label.get(label) or {}
            ious.append(float(entry.get("iou", self.compare.get("iou", DEFAULT_IOU))))
            edges.append(float(entry.get("edge_px", self.compare.get("edge_px", DEFAULT_EDGE_PX))))
        return max(ious), min(edges)

    def attributes(self, label: str) -> list[Mapping[str, Any]]:
        return list((self.labels.get(label) or {}).get("attributes", []))


def attribute_value(attribute: Mapping[str, Any], region: Mapping[str, Any]) -> Any:
    """The attribute as it counts: an absent one is its default, an absent flag is false."""
    values = region.get("attributes") or {}
    value = values.get(str(attribute["name"]), attribute.get("default"))
    return bool(value) if attribute.get("kind") == "flag" else value


def comparable(kind: str, value: Any) -> bytes:
    """Equal bytes mean equal answers: several choices in any order, texts without outer blanks, absent as
    empty."""
    if kind == "choices":
        return canonical(sorted(str(entry) for entry in value or []))
    if kind == "text":
        return canonical((value or "").strip() if isinstance(value, str | None) else value)
    return canonical(value)
