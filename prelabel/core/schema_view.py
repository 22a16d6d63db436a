"""What a rule or a model needs to know of a label schema document (format 1). Pure reading of plain
dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def active_labels(schema: Schema) -> dict[str, Mapping[str, Any]]:
    """Labels that may be given today, by name, in the schema's order."""
    return {label["name"]: label for label in schema.get("labels", ()) if not label.get("retired")}


def labels_for(schema: Schema, shapes: tuple[str, ...]) -> list[str]:
    """Active labels that some regions control accepts in one of `shapes`."""
    active = active_labels(schema)
    taken: set[str] = set()
    for control in schema.get("controls", ()):
        if control.get("kind") == "regions" and set(shapes) & set(control.get("shapes", ())):
            labels = control.get("labels", "all")
            taken |= set(active) if labels == "all" else set(labels)
    return [name for name in active if name in taken]


def shapes_of(schema: Schema) -> set[str]:
    """Every shape that some regions control accepts."""
    return {
        shape
        for control in schema.get("controls", ())
        if control.get("kind") == "regions"
        for shape in control.get("shapes", ())
    }


def choice_controls(schema: Schema) -> dict[str, list[str]]:
    """Controls of kind choice with the names of their options."""
    return {
        control["name"]: [option["name"] for option in control.get("options", ())]
        for control in schema.get("controls", ())
        if control.get("kind") == "choice"
    }


def default_attributes(schema: Schema, label: str) -> dict[str, Any]:
    """Attributes with a default in the schema; the others are for a person to fill."""
    entry = active_labels(schema).get(label, {})
    return {
        attribute["name"]: attribute["default"]
        for attribute in entry.get("attributes", ())
        if attribute.get("default") is not None and not attribute.get("retired")
    }


def shape_labels(schema: Schema) -> dict[str, set[str]]:
    """shape -> labels accepted in that shape."""
    return {shape: set(labels_for(schema, (shape,))) for shape in shapes_of(schema)}
