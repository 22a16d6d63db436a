"""Parameters of a rule, declared as data, so that a form, the API and the command are made from one list.

Pure. Titles are English msgids; whoever shows them translates them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from annotator.core.errors import Invalid


def _(text: str) -> str:
    """Marks a msgid for the catalogue; the translation happens where it is shown."""
    return text


KINDS = ("integer", "number", "flag", "option", "label", "control", "lines")
MAX_LINES = 2_000
MAX_LINE_LENGTH = 500


@dataclass(frozen=True)
class Parameter:
    """One value a rule takes.

    kind: integer | number | flag | option | label (a label name of the schema) | control (a choice control's
    name)
    | lines (a mapping of label or option name to a list of strings).
    """

    name: str
    kind: str
    title: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    help: str = ""
    required: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that API and pages read."""
        out: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "title": self.title,
            "default": self.default,
        }
        if self.minimum is not None:
            out["min"] = self.minimum
        if self.maximum is not None:
            out["max"] = self.maximum
        if self.options:
            out["options"] = [{"name": name, "title": title} for name, title in self.options]
        if self.unit:
            out["unit"] = self.unit
        if self.help:
            out["help"] = self.help
        out["required"] = self.required
        return out


@dataclass(frozen=True)
class Choices:
    """What a schema offers for parameters of the kinds label, control and lines."""

    labels: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    line_keys: tuple[str, ...] = ()
    all_labels: tuple[str, ...] = field(default=())


def parse(parameters: tuple[Parameter, ...], values: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """Checks `values` against the declaration; absent ones get their default. Unknown names are refused,
    never dropped."""
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            raise Invalid("unknown_parameter", _("This rule has no parameter of that name."), field=str(name))
    return {name: _value(parameter, values.get(name), choices) for name, parameter in known.items()}


def _value(parameter: Parameter, value: Any, choices: Choices) -> Any:
    if value is None or value == "":
        value = parameter.default
    if parameter.kind in ("integer", "number"):
        return _number(parameter, value)
    if parameter.kind == "flag":
        if not isinstance(value, bool):
            raise _bad(parameter, _("Expected true or false."))
        return value
    if parameter.kind == "option":
        if value not in {name for name, _title in parameter.options}:
            raise _bad(parameter, _("This is not one of the options."))
        return value
    if parameter.kind in ("label", "control"):
        offered = choices.labels if parameter.kind == "label" else choices.controls
        if value is None and offered:
            value = offered[0]
        if value not in offered:
            raise _bad(parameter, _("The schema in force does not have this name for this rule."))
        return value
    return _lines(parameter, value, choices)


def _number(parameter: Parameter, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _bad(parameter, _("Expected a number."))
    if parameter.kind == "integer" and value != int(value):
        raise _bad(parameter, _("Expected a whole number."))
    if parameter.minimum is not None and value < parameter.minimum:
        raise _bad(parameter, _("This is below the smallest value allowed."), minimum=parameter.minimum)
    if parameter.maximum is not None and value > parameter.maximum:
        raise _bad(parameter, _("This is above the largest value allowed."), maximum=parameter.maximum)
    return int(value) if parameter.kind == "integer" else float(value)


def _lines(parameter: Parameter, value: Any, choices: Choices) -> dict[str, list[str]]:
    value = {} if value is None else value
    if not isinstance(value, Mapping):
        raise _bad(parameter, _("Expected a list of lines for each name."))
    out: dict[str, list[str]] = {}
    total = 0
    for key, lines in value.items():
        if key not in choices.line_keys:
            raise _bad(
                parameter, _("The schema in force does not have this name for this rule."), name=str(key)
            )
        if isinstance(lines, str):
            lines = lines.splitlines()
        if not isinstance(lines, (list, tuple)) or not all(isinstance(line, str) for line in lines):
            raise _bad(parameter, _("Expected a list of lines for each name."))
        kept = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        total += len(kept)
        if any(len(line) > MAX_LINE_LENGTH for line in kept):
            raise _bad(parameter, _("A line is too long."), limit=MAX_LINE_LENGTH)
        if kept:
            out[key] = kept
    if total > MAX_LINES:
        raise _bad(parameter, _("There are too many lines."), limit=MAX_LINES)
    if parameter.required and not out:
        raise _bad(parameter, _("At least one line is needed."))
    return out


def _bad(parameter: Parameter, message: str, **extra: Any) -> Invalid:
    return Invalid("bad_parameter", message, field=parameter.name, **extra)
