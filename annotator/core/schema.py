"""The label schema, format 1: parse, look up, compare versions, migrate stored labels, check a document.

Pure. A version is immutable; its digest is that of the document as given, defaults exist only in `effective`.
What a geometry may be is asked of the shapes that the caller hands in (`annotator.shapes.SHAPES`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Protocol

from annotator.core.canonical import digest as canonical_digest
from annotator.core.canonical import same
from annotator.core.changes import Change
from annotator.core.document import (
    MAX_REGIONS,
    MAX_TEXT_CHARS,
    AssetInfo,
    Document,
    Region,
    check_region,
    check_unusable,
)
from annotator.core.errors import ConcordError, Invalid, TooLarge
from annotator.core.geometry import is_number

FORMAT = 1
MAX_LABELS = 5_000
MAX_CONTROLS = 100
MAX_ATTRIBUTES = 100
MAX_OPTIONS = 2_000
MAX_NAME_CHARS = 100

CONTROL_KINDS = ("regions", "choice", "choices", "text", "number")
ATTRIBUTE_KINDS = ("choice", "choices", "text", "number", "flag")
CONSTRAINT_KINDS = ("max_regions", "min_size_px", "no_overlap")
CLASSES = ("A", "B", "C")
_COLOR = re.compile(r"#[0-9a-f]{6}\Z", re.IGNORECASE)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")

PartBytes = Callable[[str], bytes]


class ShapeFile(Protocol):
    """What checking asks of a shape (`annotator.shapes.Shape` says the rest)."""

    ASSET_KIND: str

    def parse(
        self, geometry: Any, asset: AssetInfo | None, *, field: str, exact: bool = ...
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]: ...

    def bounds(
        self, geometry: Mapping[str, Any], part_bytes: PartBytes | None = ...
    ) -> tuple[float, float, float, float] | None: ...

    def is_empty(self, geometry: Mapping[str, Any]) -> bool: ...


class Shapes(Protocol):
    """A registry of shapes, and the one question about two regions."""

    def find(self, plugin_id: str) -> ShapeFile | None: ...

    def overlap(
        self,
        one: Region,
        other: Region,
        assets: Mapping[str, AssetInfo],
        part_bytes: PartBytes | None,
    ) -> bool: ...


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a document; `field` is a path in it."""

    code: str
    message: str
    field: str
    region: str | None = None
    cure: str | None = None
    extra: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message, "field": self.field}
        if self.region is not None:
            body["region"] = self.region
        if self.cure is not None:
            body["cure"] = self.cure
        body.update(self.extra)
        return body


@dataclass(frozen=True)
class Schema:
    """One parsed version. `document` is as given, `effective` has every default filled in."""

    document: Mapping[str, Any]
    effective: Mapping[str, Any]
    digest: str
    labels: Mapping[str, Mapping[str, Any]]
    controls: Mapping[str, Mapping[str, Any]]

    def label(self, name: str) -> Mapping[str, Any] | None:
        return self.labels.get(name)

    def controls_of_label(self, name: str) -> list[Mapping[str, Any]]:
        """The region controls that offer the label."""
        return [
            control
            for control in self.controls.values()
            if control["kind"] == "regions" and (control["labels"] == "all" or name in control["labels"])
        ]

    def attribute(self, label: str, name: str) -> Mapping[str, Any] | None:
        found = self.labels.get(label)
        if found is None:
            return None
        return next((one for one in found["attributes"] if one["name"] == name), None)

    def top_label(self, name: str) -> str:
        """The root of a label's branch."""
        seen = name
        while (label := self.labels.get(seen)) is not None and label["parent"] is not None:
            seen = label["parent"]
        return seen

    def class_of(self, name: str) -> str:
        """A, B or C; an unknown label is treated like the gravest."""
        label = self.labels.get(name)
        return str(label["class"]) if label is not None else "A"


# --- parsing ---


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=where)
    return value


def _list(value: object, where: str, limit: int) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid("not_a_list", "A list is wanted here.", field=where)
    if len(value) > limit:
        raise TooLarge("too_many_entries", "The list has too many entries.", field=where, limit=limit)
    return value


def _name(value: object, where: str, *, dots: bool = True) -> str:
    good = isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS and value == value.strip()
    if not good or _CONTROL_CHARACTER.search(str(value)):
        raise Invalid("bad_name", "A name has 1 to 100 characters and no space at its ends.", field=where)
    name = str(value)
    if not dots and "." in name:
        raise Invalid("bad_name", "The name of an attribute has no dot in it.", field=where)
    return name


def _title(value: object, where: str) -> None:
    if isinstance(value, str) and value.strip():
        return
    if isinstance(value, dict) and value:
        for language, text in value.items():
            if not isinstance(text, str) or not text.strip():
                raise Invalid(
                    "bad_title", "A title is a text or one text a language.", field=f"{where}.{language}"
                )
        return
    raise Invalid("bad_title", "A title is a text or one text a language.", field=where)


def _one_of(value: object, allowed: Iterable[str], where: str, code: str) -> str:
    choices = tuple(allowed)
    if not isinstance(value, str) or value not in choices:
        raise Invalid(code, "The value is not one of those allowed here.", field=where, allowed=list(choices))
    return value


def _flag(value: object, where: str) -> None:
    if not isinstance(value, bool):
        raise Invalid("not_a_flag", "true or false is wanted here.", field=where)


def _hotkey(value: object, where: str, taken: dict[str, str]) -> None:
    if not isinstance(value, str) or len(value) != 1 or value.isspace():
        raise Invalid("bad_hotkey", "A hotkey is one character.", field=where)
    if value in taken:
        raise Invalid("hotkey_taken", "Two entries have the same hotkey.", field=where, other=taken[value])
    taken[value] = where


def _unique(names: list[str], where: str) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise Invalid(
                "name_twice", "Two entries have the same name.", field=f"{where}.{index}.name", name=name
            )
        seen.add(name)


def _options(holder: dict[str, Any], where: str) -> None:
    options = _list(holder.get("options"), f"{where}.options", MAX_OPTIONS)
    if not options:
        raise Invalid("no_options", "A choice needs at least one option.", field=f"{where}.options")
    taken: dict[str, str] = {}
    for index, option in enumerate(options):
        place = f"{where}.options.{index}"
        _object(option, place)
        _name(option.get("name"), f"{place}.name")
        option.setdefault("title", option["name"])
        _title(option["title"], f"{place}.title")
        option.setdefault("retired", False)
        _flag(option["retired"], f"{place}.retired")
        if option.get("hotkey") is not None:
            _hotkey(option["hotkey"], f"{place}.hotkey", taken)
    _unique([option["name"] for option in options], f"{where}.options")


def _bounds_of_number(holder: dict[str, Any], where: str) -> None:
    for name in ("min", "max"):
        if holder.get(name) is not None and not is_number(holder[name]):
            raise Invalid("not_a_number", "A number is wanted here.", field=f"{where}.{name}")
    low, high = holder.get("min"), holder.get("max")
    if low is not None and high is not None and low > high:
        raise Invalid("empty_range", "The smallest value is above the largest.", field=f"{where}.min")


def _parse_attribute(attribute: object, where: str) -> None:
    found = _object(attribute, where)
    _name(found.get("name"), f"{where}.name", dots=False)
    _one_of(found.get("kind"), ATTRIBUTE_KINDS, f"{where}.kind", "unknown_attribute_kind")
    found.setdefault("title", found["name"])
    _title(found["title"], f"{where}.title")
    for name in ("required", "retired"):
        found.setdefault(name, False)
        _flag(found[name], f"{where}.{name}")
    if found["kind"] in ("choice", "choices"):
        _options(found, where)
    _bounds_of_number(found, where)
    if found.get("default") is not None:
        problem = _value_problem(found["default"], found)
        if problem is not None:
            raise Invalid(problem[0], problem[1], field=f"{where}.default")


def _parse_labels(labels: list[Any]) -> None:
    taken: dict[str, str] = {}
    for index, label in enumerate(labels):
        where = f"labels.{index}"
        _object(label, where)
        _name(label.get("name"), f"{where}.name")
        label.setdefault("title", label["name"])
        _title(label["title"], f"{where}.title")
        label.setdefault("parent", None)
        label.setdefault("color", "#888888")
        if not isinstance(label["color"], str) or not _COLOR.match(label["color"]):
            raise Invalid("bad_color", "A colour is written #rrggbb.", field=f"{where}.color")
        label.setdefault("class", "B")
        _one_of(label["class"], CLASSES, f"{where}.class", "unknown_class")
        label.setdefault("retired", False)
        _flag(label["retired"], f"{where}.retired")
        if label.get("hotkey") is not None:
            _hotkey(label["hotkey"], f"{where}.hotkey", taken)
        attributes = _list(label.setdefault("attributes", []), f"{where}.attributes", MAX_ATTRIBUTES)
        for at, attribute in enumerate(attributes):
            _parse_attribute(attribute, f"{where}.attributes.{at}")
        _unique([attribute["name"] for attribute in attributes], f"{where}.attributes")
    _unique([label["name"] for label in labels], "labels")
    parents = {label["name"]: label["parent"] for label in labels}
    for index, label in enumerate(labels):
        if label["parent"] is not None and label["parent"] not in parents:
            raise Invalid(
                "unknown_parent", "The parent is not a label of this schema.", field=f"labels.{index}.parent"
            )
    rooted: set[str] = set()
    for index, label in enumerate(labels):
        path: list[str] = []
        name = label["name"]
        while name is not None and name not in rooted:
            if name in path:
                raise Invalid("label_circle", "A label is its own ancestor.", field=f"labels.{index}.parent")
            path.append(name)
            name = parents[name]
        rooted.update(path)


def _parse_control(control: object, where: str, labels: set[str], shapes: Shapes | None) -> None:
    found = _object(control, where)
    _name(found.get("name"), f"{where}.name", dots=False)
    kind = _one_of(found.get("kind"), CONTROL_KINDS, f"{where}.kind", "unknown_control_kind")
    found.setdefault("title", found["name"])
    _title(found["title"], f"{where}.title")
    if kind == "regions":
        listed = _list(found.get("shapes"), f"{where}.shapes", 100)
        if not listed:
            raise Invalid(
                "no_shapes", "A control for regions needs at least one shape.", field=f"{where}.shapes"
            )
        for at, shape in enumerate(listed):
            _name(shape, f"{where}.shapes.{at}")
            if shapes is not None and shapes.find(shape) is None:
                raise Invalid(
                    "unknown_shape", "There is no shape of this name.", field=f"{where}.shapes.{at}"
                )
        found.setdefault("asset", None)
        if found["asset"] is not None:
            _name(found["asset"], f"{where}.asset")
        offered = found.setdefault("labels", "all")
        if offered != "all":
            for at, name in enumerate(_list(offered, f"{where}.labels", MAX_LABELS)):
                if not isinstance(name, str) or name not in labels:
                    place = f"{where}.labels.{at}"
                    raise Invalid("unknown_label", "The label is not in this schema.", field=place)
        return
    found.setdefault("required", False)
    _flag(found["required"], f"{where}.required")
    found.setdefault("per", "item")
    if kind in ("choice", "choices"):
        _options(found, where)
    _bounds_of_number(found, where)


def _parse_constraint(constraint: object, where: str, labels: set[str]) -> None:
    found = _object(constraint, where)
    kind = _one_of(found.get("kind"), CONSTRAINT_KINDS, f"{where}.kind", "unknown_constraint")
    label = found.get("label")
    if label is not None and (not isinstance(label, str) or label not in labels):
        raise Invalid("unknown_label", "The label is not in this schema.", field=f"{where}.label")
    if kind == "no_overlap":
        if label is None:
            raise Invalid("missing_key", "A key is missing.", field=f"{where}.label")
        return
    value: Any = found.get("value")
    if not is_number(value) or value < 0 or (kind == "max_regions" and value != int(value)):
        raise Invalid("not_a_number", "A number is wanted here.", field=f"{where}.value")


def parse_schema(document: object, *, shapes: Shapes | None = None) -> Schema:
    """Invalid names the path of what is wrong. Unknown keys are kept and digested like all others."""
    given = _object(document, "schema")
    effective = copy.deepcopy(given)
    number = effective.get("format")
    if number != FORMAT or isinstance(number, bool):
        raise Invalid("bad_format", "The format of a schema is 1.", field="format")
    effective.setdefault("title", "")
    if effective["title"] != "":
        _title(effective["title"], "title")
    labels = _list(effective.setdefault("labels", []), "labels", MAX_LABELS)
    _parse_labels(labels)
    names = {label["name"] for label in labels}
    controls = _list(effective.setdefault("controls", []), "controls", MAX_CONTROLS)
    if not controls:
        raise Invalid("no_controls", "A schema needs at least one control.", field="controls")
    for index, control in enumerate(controls):
        _parse_control(control, f"controls.{index}", names, shapes)
    _unique([control["name"] for control in controls], "controls")
    constraints = _list(effective.setdefault("constraints", []), "constraints", 1000)
    for index, constraint in enumerate(constraints):
        _parse_constraint(constraint, f"constraints.{index}", names)
    guideline = _object(effective.setdefault("guideline", {"version": 1, "text": ""}), "guideline")
    version = guideline.setdefault("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise Invalid("not_a_whole_number", "A whole number is wanted here.", field="guideline.version")
    if guideline.setdefault("text", "") != "":
        _title(guideline["text"], "guideline.text")
    return Schema(
        document=given,
        effective=effective,
        digest=canonical_digest(given),
        labels={label["name"]: label for label in labels},
        controls={control["name"]: control for control in controls},
    )


# --- comparing and migrating ---


@dataclass(frozen=True)
class Mapped:
    """A checked mapping: old label -> new label, (old label, old attribute) -> new attribute."""

    labels: Mapping[str, str]
    attributes: Mapping[tuple[str, str], str]

    def label(self, name: str) -> str:
        return self.labels.get(name, name)

    def attribute(self, label: str, name: str) -> str:
        return self.attributes.get((label, name), name)


def parse_mapping(mapping: object) -> Mapped:
    """Structure of {"labels": {old: new}, "attributes": {"label.old": new}}; a list of targets is a split."""
    given = _object(mapping if mapping is not None else {}, "mapping")
    for name in sorted(given.keys() - {"labels", "attributes"}):
        raise Invalid("unknown_key", "A mapping names labels and attributes only.", field=f"mapping.{name}")
    labels: dict[str, str] = {}
    for old, new in _object(given.get("labels", {}), "mapping.labels").items():
        if isinstance(new, list):
            raise _refused("split", f"mapping.labels.{old}")
        labels[old] = _name(new, f"mapping.labels.{old}")
    attributes: dict[tuple[str, str], str] = {}
    for old, new in _object(given.get("attributes", {}), "mapping.attributes").items():
        where = f"mapping.attributes.{old}"
        label, dot, attribute = old.rpartition(".")
        if not dot:
            raise Invalid("bad_mapping", "An attribute is named 'label.attribute'.", field=where)
        if isinstance(new, list):
            raise _refused("split", where)
        attributes[label, attribute] = _name(new, where, dots=False)
    return Mapped(labels, attributes)


_REFUSED = {
    "merge": ("Two labels or attributes cannot become one.", "Retire one of them instead."),
    "split": ("One label or attribute cannot become several.", "Add the new ones and retire the old one."),
    "type_change": (
        "What is stored under this name would no longer be readable.",
        "Add it under a new name.",
    ),
    "remove": ("What labels already use cannot be removed.", "Keep it and mark it retired."),
}


def _refused(kind: str, where: str) -> Invalid:
    message, cure = _REFUSED[kind]
    return Invalid(f"{kind}_refused", message, field=where, cure=cure)


def check_migration(old: Schema, new: Schema, mapping: object = None) -> Mapped:
    """Rename, add and retire pass; merge, split, removal and change of type are refused with the cure."""
    mapped = parse_mapping(mapping)
    for name, target in mapped.labels.items():
        if name not in old.labels:
            raise Invalid("unknown_label", "The label is not in this schema.", field=f"mapping.labels.{name}")
        if target not in new.labels:
            raise Invalid(
                "unknown_label", "The new schema has no such label.", field=f"mapping.labels.{name}"
            )
    targets: dict[str, str] = {}
    for name in old.labels:
        target = mapped.label(name)
        if target not in new.labels:
            raise _refused("remove", f"labels.{name}")
        if target in targets:
            raise _refused("merge", f"mapping.labels.{name}")
        targets[target] = name
    for (label, attribute), _target in mapped.attributes.items():
        if old.attribute(label, attribute) is None:
            raise Invalid(
                "unknown_attribute",
                "The label has no such attribute.",
                field=f"mapping.attributes.{label}.{attribute}",
            )
    for name, before in old.labels.items():
        _check_attributes(name, before, new.labels[mapped.label(name)], mapped)
    for name, control in old.controls.items():
        _check_control(name, control, new.controls.get(name))
    return mapped


def _check_attributes(name: str, label: Mapping[str, Any], other: Mapping[str, Any], mapped: Mapped) -> None:
    there = {attribute["name"]: attribute for attribute in other["attributes"]}
    used: set[str] = set()
    for attribute in label["attributes"]:
        where = f"labels.{name}.attributes.{attribute['name']}"
        target = mapped.attribute(name, attribute["name"])
        if target not in there:
            raise _refused("remove", where)
        if target in used:
            raise _refused("merge", where)
        used.add(target)
        if there[target]["kind"] != attribute["kind"]:
            raise _refused("type_change", where)
        _check_options(attribute, there[target], where)


def _check_options(before: Mapping[str, Any], after: Mapping[str, Any], where: str) -> None:
    kept = {option["name"] for option in after.get("options") or ()}
    for option in before.get("options") or ():
        if option["name"] not in kept:
            raise _refused("remove", f"{where}.options.{option['name']}")


def _check_control(name: str, before: Mapping[str, Any], after: Mapping[str, Any] | None) -> None:
    where = f"controls.{name}"
    if after is None:
        raise _refused("remove", where)
    if after["kind"] != before["kind"]:
        raise _refused("type_change", where)
    if before["kind"] == "regions":
        for shape in before["shapes"]:
            if shape not in after["shapes"]:
                raise _refused("remove", f"{where}.shapes.{shape}")
        if before["asset"] != after["asset"]:
            raise _refused("type_change", f"{where}.asset")
    _check_options(before, after, where)


def migrate_changes(document: Mapping[str, Any], mapping: object) -> list[Change]:
    """The invertible changes that carry a stored document over; [] where nothing is renamed."""
    mapped = mapping if isinstance(mapping, Mapped) else parse_mapping(mapping)
    found: list[Change] = []
    for region_id in sorted(document["regions"]):
        region = document["regions"][region_id]
        label, before = region["label"], region["attributes"]
        after = {mapped.attribute(label, name): value for name, value in before.items()}
        for name in sorted(set(before) | set(after)):
            if not same(before.get(name), after.get(name)):
                path = ["regions", region_id, "attributes", name]
                found.append(
                    {"op": "set", "path": path, "before": before.get(name), "after": after.get(name)}
                )
        if mapped.label(label) != label:
            path = ["regions", region_id, "label"]
            found.append({"op": "set", "path": path, "before": label, "after": mapped.label(label)})
    return found


_LABEL_KEYS = ("title", "parent", "color", "hotkey", "class")
_ATTRIBUTE_KEYS = ("title", "kind", "options", "required", "default", "min", "max")


def diff(old: Schema, new: Schema, mapping: object = None) -> list[dict[str, Any]]:
    """What differs, in order: {"kind": "rename|add|remove|retire|restore|title|…", "what", "name",
    "before", "after"}.

    Shows anything, also what `check_migration` refuses.
    """
    mapped = parse_mapping(mapping)
    found: list[dict[str, Any]] = []

    def note(kind: str, what: str, name: str, before: Any = None, after: Any = None) -> None:
        found.append({"kind": kind, "what": what, "name": name, "before": before, "after": after})

    def compare(
        what: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any], keys: Iterable[str]
    ) -> None:
        if before.get("retired", False) != after.get("retired", False):
            note("retire" if after.get("retired") else "restore", what, name)
        for key in keys:
            if not same(before.get(key), after.get(key)):
                note(key, what, name, before.get(key), after.get(key))

    if not same(old.effective["title"], new.effective["title"]):
        note("title", "schema", "", old.effective["title"], new.effective["title"])
    reached = set()
    for name, label in old.labels.items():
        target = mapped.label(name)
        other = new.labels.get(target)
        if other is None:
            note("remove", "label", name)
            continue
        reached.add(target)
        if target != name:
            note("rename", "label", name, name, target)
        compare("label", target, label, other, _LABEL_KEYS)
        there = {attribute["name"]: attribute for attribute in other["attributes"]}
        met = set()
        for attribute in label["attributes"]:
            wanted = mapped.attribute(name, attribute["name"])
            full = f"{target}.{wanted}"
            if wanted not in there:
                note("remove", "attribute", f"{name}.{attribute['name']}")
                continue
            met.add(wanted)
            if wanted != attribute["name"]:
                note("rename", "attribute", f"{name}.{attribute['name']}", attribute["name"], wanted)
            compare("attribute", full, attribute, there[wanted], _ATTRIBUTE_KEYS)
        for wanted in there:
            if wanted not in met:
                note("add", "attribute", f"{target}.{wanted}")
    for name in new.labels:
        if name not in reached:
            note("add", "label", name)
    for name, control in old.controls.items():
        if name not in new.controls:
            note("remove", "control", name)
            continue
        keys = sorted((set(control) | set(new.controls[name])) - {"name", "retired"})
        compare("control", name, control, new.controls[name], keys)
    for name in new.controls:
        if name not in old.controls:
            note("add", "control", name)
    if not same(old.effective["constraints"], new.effective["constraints"]):
        note("constraints", "schema", "", old.effective["constraints"], new.effective["constraints"])
    if not same(old.effective["guideline"], new.effective["guideline"]):
        before, after = old.effective["guideline"]["version"], new.effective["guideline"]["version"]
        note("guideline", "schema", "", before, after)
    return found


# --- checking a document ---


def _value_problem(value: object, holder: Mapping[str, Any]) -> tuple[str, str] | None:
    """(code, message) of a value that its control or attribute cannot hold."""
    kind = holder["kind"]
    if kind in ("choice", "choices"):
        names = {option["name"] for option in holder.get("options") or ()}
        if kind == "choice":
            if not isinstance(value, str):
                return "wrong_type", "A choice is the name of one option."
            return None if value in names else ("option_not_in_schema", "There is no such option.")
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            return "wrong_type", "A choice of several is a list of option names."
        if len(set(value)) != len(value):
            return "option_twice", "An option stands twice in a list."
        return None if set(value) <= names else ("option_not_in_schema", "There is no such option.")
    if kind == "text":
        if not isinstance(value, str):
            return "wrong_type", "A text is wanted here."
        return None if len(value) <= MAX_TEXT_CHARS else ("text_too_long", "The text is too long.")
    if kind == "flag":
        return None if isinstance(value, bool) else ("wrong_type", "true or false is wanted here.")
    if not is_number(value):
        return "wrong_type", "A number is wanted here."
    assert isinstance(value, int | float)
    low, high = holder.get("min"), holder.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        return "out_of_range", "The number lies outside the range that is allowed."
    return None


def asset_of(region: Region, assets: Mapping[str, AssetInfo], kind: str) -> AssetInfo | None:
    """The asset a region lies on; null stands for the only asset of the shape's kind."""
    if region["asset"] is not None:
        return assets.get(region["asset"])
    fitting = [asset for asset in assets.values() if asset.kind == kind]
    return fitting[0] if len(fitting) == 1 else None


def _missing(value: object) -> bool:
    return value is None or value == "" or value == []


def check_document(
    document: Document,
    schema: Schema,
    assets: Mapping[str, AssetInfo],
    *,
    mode: str,
    shapes: Shapes,
    only: set[str] | None = None,
    part_bytes: PartBytes | None = None,
) -> list[Problem]:
    """Everything that is wrong, in a stable order; [] means it may be stored.

    `mode` "save" takes drafts: what is required may be missing, constraints may be broken, masks may be
    empty. `only` limits the look to these regions (what a save touched). `part_bytes` lets size and
    overlap of masks be checked; without it these two are not.
    """
    if mode not in ("save", "submit"):
        raise ValueError(f"mode is save or submit, not {mode!r}")
    submit = mode == "submit"
    found: list[Problem] = []
    regions = document["regions"]
    if len(regions) > MAX_REGIONS:
        found.append(Problem("too_many_regions", "A document holds too many regions.", "regions"))
        return found
    try:
        check_unusable(document.get("unusable"))
    except ConcordError as error:
        found.append(Problem(error.code, error.message, "unusable"))
    for region_id in sorted(regions if only is None else only & regions.keys()):
        found.extend(_check_region(regions[region_id], region_id, schema, assets, submit, shapes))
    for name, value in sorted(document["answers"].items()):
        where = f"answers.{name}"
        control = schema.controls.get(name)
        if control is None or control["kind"] == "regions":
            found.append(Problem("answer_not_in_schema", "The schema has no control of this name.", where))
            continue
        problem = _value_problem(value, control)
        if problem is not None:
            found.append(Problem(problem[0], problem[1], where))
    if submit and document.get("unusable") is None:
        for name, control in schema.controls.items():
            if (
                control["kind"] != "regions"
                and control["required"]
                and _missing(document["answers"].get(name))
            ):
                found.append(Problem("missing_required", "A required answer is missing.", f"answers.{name}"))
    if submit and not found:
        found.extend(_check_constraints(document, schema, assets, shapes, part_bytes))
    return found


def _check_region(
    region: Region,
    region_id: str,
    schema: Schema,
    assets: Mapping[str, AssetInfo],
    submit: bool,
    shapes: Shapes,
) -> list[Problem]:
    where = f"regions.{region_id}"
    found: list[Problem] = []

    def note(code: str, message: str, place: str, cure: str | None = None, **extra: Any) -> None:
        found.append(Problem(code, message, place, region_id, cure, extra))

    try:
        check_region(region, where, region_id=region_id)
    except ConcordError as error:
        note(error.code, error.message, error.field or where, error.cure)
        return found
    name = region["label"]
    label = schema.label(name)
    controls = schema.controls_of_label(name)
    if label is None or not controls:
        note("label_not_in_schema", "The label is not in this schema.", f"{where}.label", label=name)
        return found
    if submit and label["retired"]:
        note("label_retired", "The label is retired.", f"{where}.label", "Choose another label.", label=name)
    shape = shapes.find(region["shape"])
    if shape is None:
        note("unknown_shape", "There is no shape of this name.", f"{where}.shape")
        return found
    controls = [control for control in controls if region["shape"] in control["shapes"]]
    if not controls:
        note("wrong_shape", "This label is not drawn with this shape.", f"{where}.shape", label=name)
        return found
    asset = asset_of(region, assets, shape.ASSET_KIND)
    if asset is None:
        note("unknown_asset", "The region does not lie on an asset of this item.", f"{where}.asset")
        return found
    if not any(control["asset"] in (None, asset.role) for control in controls):
        note("wrong_asset", "This label does not belong on this asset.", f"{where}.asset")
    try:
        shape.parse(region["geometry"], asset, field=f"{where}.geometry", exact=True)
    except ConcordError as error:
        note(error.code, error.message, error.field or where, error.cure, **error.extra)
    else:
        if submit and shape.is_empty(region["geometry"]):
            note("mask_empty", "The region has no extent.", f"{where}.geometry", "Draw it or remove it.")
    attributes = {attribute["name"]: attribute for attribute in label["attributes"]}
    for key, value in sorted(region["attributes"].items()):
        place = f"{where}.attributes.{key}"
        if key not in attributes:
            note("attribute_not_in_schema", "The label has no such attribute.", place, label=name)
            continue
        problem = _value_problem(value, attributes[key])
        if problem is not None:
            note(problem[0], problem[1], place)
    if submit:
        for key, attribute in attributes.items():
            wanted = attribute["required"] and not attribute["retired"]
            if wanted and _missing(region["attributes"].get(key)):
                note("missing_required", "A required attribute is missing.", f"{where}.attributes.{key}")
    return found


def _check_constraints(
    document: Document,
    schema: Schema,
    assets: Mapping[str, AssetInfo],
    shapes: Shapes,
    part_bytes: PartBytes | None,
) -> list[Problem]:
    found: list[Problem] = []
    for constraint in schema.effective["constraints"]:
        kind, label, value = constraint["kind"], constraint.get("label"), constraint.get("value")
        ids = [
            region_id
            for region_id, region in sorted(document["regions"].items())
            if label is None or region["label"] == label
        ]
        extra = {"constraint": kind, "label": label, "value": value}
        if kind == "max_regions" and len(ids) > value:
            found.append(
                Problem("too_many_of_label", "There are more regions than allowed.", "regions", extra=extra)
            )
        elif kind == "min_size_px":
            for region_id in ids:
                region = document["regions"][region_id]
                shape = shapes.find(region["shape"])
                bounds = shape.bounds(region["geometry"], part_bytes) if shape is not None else None
                if bounds is not None and min(bounds[2] - bounds[0], bounds[3] - bounds[1]) < value:
                    where = f"regions.{region_id}.geometry"
                    found.append(
                        Problem(
                            "too_small", "The region is smaller than allowed.", where, region_id, extra=extra
                        )
                    )
        elif kind == "no_overlap":
            for at, one in enumerate(ids):
                for other in ids[at + 1 :]:
                    pair = document["regions"][one], document["regions"][other]
                    if shapes.overlap(*pair, assets, part_bytes):
                        where = f"regions.{other}.geometry"
                        found.append(
                            Problem(
                                "regions_overlap",
                                "Two regions of this label overlap.",
                                where,
                                other,
                                extra={**extra, "other": one},
                            )
                        )
    return found
