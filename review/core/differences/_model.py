"""What a difference is, and what the kinds share. Not a kind itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from annotator.core.errors import Invalid
from review.core.extents import Parts
from review.core.rules import Rules

Document = Mapping[str, Any]
Change = dict[str, Any]
NONE, EDIT = "none", "edit"


@dataclass(frozen=True)
class Difference:
    """One open question. `regions`: side -> region id or None; `values`: side -> value (None = absent).

    `key` names the question by what it is about (never by the order of the people); `group` names the object,
    so that the questions about one object are applied together; `base` is the side whose region is the start.
    """

    kind: str
    key: str
    severity: str
    label: str
    regions: Mapping[str, str | None]
    field: str | None = None
    values: Mapping[str, Any] | None = None
    group: str = ""
    base: str = ""

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "kind": self.kind,
            "key": self.key,
            "class": self.severity,
            "label": self.label,
            "regions": dict(self.regions),
            "group": self.group,
            "base": self.base,
        }
        if self.field is not None:
            out["field"] = self.field
        if self.values is not None:
            out["values"] = dict(self.values)
        return out

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Difference:
        return cls(
            kind=document["kind"],
            key=document["key"],
            severity=document["class"],
            label=document["label"],
            regions=document["regions"],
            field=document.get("field"),
            values=document.get("values"),
            group=document.get("group", ""),
            base=document.get("base", ""),
        )


@dataclass(frozen=True)
class Group:
    """The regions that are one object: at most one a side. `likeness` holds IoU and closeness of each pair of
    its sides, keyed by both orders."""

    members: Mapping[str, str]
    likeness: Mapping[tuple[str, str], tuple[float, bool]]
    base: str

    @property
    def name(self) -> str:
        return min(self.members.values())


@dataclass(frozen=True)
class Case:
    """What a kind looks at: the usable sides' documents, one group (None for kinds about the whole
    document)."""

    documents: Mapping[str, Document]
    rules: Rules
    group: Group | None = None
    parts: Parts | None = None
    everybody: Mapping[str, Document] = field(default_factory=dict)

    def region(self, side: str) -> Mapping[str, Any]:
        assert self.group is not None
        found: Mapping[str, Any] = self.documents[side]["regions"][self.group.members[side]]
        return found

    def regions_by_side(self) -> dict[str, str | None]:
        assert self.group is not None
        return {side: self.group.members.get(side) for side in sorted(self.documents)}

    @property
    def complete(self) -> bool:
        """Everybody has a region in the group."""
        assert self.group is not None
        return len(self.group.members) == len(self.documents)


def choice_of(difference: Difference, decision: Mapping[str, Any]) -> str:
    """The decision's choice, checked against the sides of the difference."""
    choice = decision.get("choice")
    sides = set(difference.regions) | set(difference.values or {})
    if choice not in sides and choice not in (NONE, EDIT):
        raise Invalid(
            "unknown_choice",
            "The decision names a side that this difference does not have.",
            field="choice",
            cure="Choose one of: " + ", ".join([*sorted(sides), NONE, EDIT]) + ".",
        )
    return str(choice)


def edited_region(decision: Mapping[str, Any]) -> dict[str, Any]:
    """The region that the arbiter drew instead."""
    region = decision.get("region")
    if not isinstance(region, dict) or not isinstance(region.get("geometry"), dict) or "shape" not in region:
        raise Invalid(
            "region_missing", "An edited decision carries the region as it shall be.", field="region"
        )
    return region


def edited_value(decision: Mapping[str, Any]) -> Any:
    if "value" not in decision:
        raise Invalid("value_missing", "An edited decision carries the value as it shall be.", field="value")
    return decision["value"]


def replaced(before: Mapping[str, Any], **parts: Any) -> list[Change]:
    """A change of one region; parts that are None stay as they are."""
    after = {**before, **{name: value for name, value in parts.items() if value is not None}}
    return [] if after == dict(before) else [{"op": "replace", "before": dict(before), "after": after}]


def removed(region: Mapping[str, Any]) -> list[Change]:
    return [{"op": "remove", "region": dict(region)}]
