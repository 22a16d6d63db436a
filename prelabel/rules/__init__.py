"""The rules: one file each, found by the registry, with a versioned id. No file here imports more than numpy.

A rule module states
    ID          "name.v1"
    TITLE, HELP English msgids
    INPUT       "image" or "text"
    SHAPES      shapes it proposes; empty when it answers a choice control
    PARAMETERS  tuple of `Parameter`
    prepare(values, schema) -> a context manager that yields apply(Sample) -> Proposal
`values` went through `prepare_values`. One `prepare` serves a whole run; nothing is remembered between
samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from annotator.core.registry import Registry
from prelabel.core import schema_view
from prelabel.core.parameters import Choices, Parameter, parse
from prelabel.core.samples import Proposal, Sample


class Rule(Protocol):
    """What a rule module offers."""

    ID: str
    TITLE: str
    HELP: str
    INPUT: str
    SHAPES: tuple[str, ...]
    PARAMETERS: tuple[Parameter, ...]

    @staticmethod
    def prepare(
        values: Mapping[str, Any], schema: Mapping[str, Any]
    ) -> AbstractContextManager[Callable[[Sample], Proposal]]: ...


RULES: Registry[Rule] = Registry("prelabel.rules")


def choices(rule: Rule, schema: Mapping[str, Any]) -> Choices:
    """What the schema offers to this rule's parameters."""
    labels = tuple(schema_view.labels_for(schema, rule.SHAPES))
    controls = schema_view.choice_controls(schema)
    options = tuple(dict.fromkeys(option for names in controls.values() for option in names))
    return Choices(
        labels=labels,
        controls=tuple(controls),
        line_keys=labels if rule.SHAPES else options,
        all_labels=labels,
    )


def usable(rule: Rule, schema: Mapping[str, Any]) -> bool:
    """Whether the schema has anything this rule could propose."""
    offered = choices(rule, schema)
    return bool(offered.labels) if rule.SHAPES else bool(offered.controls)


def prepare_values(rule: Rule, values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values with defaults filled in; raises Invalid with the field's name."""
    return parse(rule.PARAMETERS, values, choices(rule, schema))
