# ruff: noqa: E501 - the cases are tables
"""Cases of `fixtures/vectors/schema.json`: schemas, documents against a schema, migrations."""

from __future__ import annotations

import copy
from typing import Any

from annotator.core import canonical, changes, masks, schema
from annotator.core.document import AssetInfo, empty
from annotator.core.errors import ConcordError
from annotator.shapes import check_document, parse_schema

R1, R2, R3 = (f"r_{letter * 16}" for letter in "abc")
DIGEST = masks.part_digest(b"\x01")
TEXT = "王😀说 hello"
ASSETS = {
    "a_1": {"id": "a_1", "role": "image", "kind": "image", "width": 640, "height": 480},
    "a_2": {"id": "a_2", "role": "text", "kind": "text", "text": TEXT},
}

BASE: dict[str, Any] = {
    "format": 1,
    "title": {"zh": "示例", "en": "Example"},
    "controls": [
        {"name": "objects", "kind": "regions", "shapes": ["box", "polygon", "mask"], "asset": "image", "title": "Objects", "labels": ["coin", "brick"]},
        {"name": "words", "kind": "regions", "shapes": ["span"], "asset": "text", "title": "Words", "labels": ["person"]},
        {"name": "tone", "kind": "choice", "title": "Tone", "options": [{"name": "good", "title": "Good"}, {"name": "bad", "title": "Bad"}], "required": True},
        {"name": "tags", "kind": "choices", "title": "Tags", "options": [{"name": "x", "title": "X"}, {"name": "y", "title": "Y"}], "required": False},
        {"name": "note", "kind": "text", "title": "Note", "required": False},
        {"name": "count", "kind": "number", "title": "Count", "required": False, "min": 0, "max": 10},
    ],
    "labels": [
        {"name": "coin", "title": "Coin", "color": "#aa3311", "hotkey": "1", "class": "A", "attributes": [
            {"name": "state", "kind": "choice", "title": "State", "options": [{"name": "worn", "title": "Worn"}, {"name": "new", "title": "New"}], "required": True},
            {"name": "bent", "kind": "flag", "title": "Bent"},
            {"name": "year", "kind": "number", "title": "Year", "min": 0, "max": 3000}]},
        {"name": "brick", "title": "Brick", "parent": "coin", "color": "#3366ff", "hotkey": "2", "class": "B"},
        {"name": "person", "title": {"zh": "人", "en": "Person"}, "color": "#00aa55", "class": "C"},
        {"name": "old", "title": "Old", "retired": True},
    ],
    "constraints": [{"kind": "max_regions", "label": "coin", "value": 2}, {"kind": "min_size_px", "label": "coin", "value": 4}, {"kind": "no_overlap", "label": "brick"}],
    "guideline": {"version": 3, "text": "# Rules"},
    "later": {"unknown": [1, None]},
}  # fmt: skip


def changed(base: Any, path: list[Any], value: Any) -> Any:
    """A copy with one place set; Ellipsis takes the key away."""
    found = copy.deepcopy(base)
    holder = found
    for step in path[:-1]:
        holder = holder[step]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return found


BROKEN: list[tuple[str, list[Any], Any]] = [
    ("format missing", ["format"], ...), ("format 2", ["format"], 2), ("format true", ["format"], True),
    ("no controls", ["controls"], []), ("controls no list", ["controls"], {}), ("title empty", ["title"], {"en": " "}),
    ("title number", ["title"], 3), ("control name twice", ["controls", 1, "name"], "objects"),
    ("control name empty", ["controls", 0, "name"], ""), ("control name with a line break", ["controls", 0, "name"], "a\nb"),
    ("control kind", ["controls", 2, "kind"], "slider"), ("control without shapes", ["controls", 0, "shapes"], []),
    ("unknown shape", ["controls", 0, "shapes"], ["box", "cuboid"]), ("control names an unknown label", ["controls", 0, "labels"], ["coin", "cat"]),
    ("choice without options", ["controls", 2, "options"], []), ("option name twice", ["controls", 2, "options", 1, "name"], "good"),
    ("required no flag", ["controls", 2, "required"], "yes"), ("number range", ["controls", 5, "min"], 11),
    ("number bound is text", ["controls", 5, "max"], "10"), ("label name twice", ["labels", 1, "name"], "coin"),
    ("label name with a space at its end", ["labels", 0, "name"], "coin "), ("label name null", ["labels", 0, "name"], None),
    ("parent unknown", ["labels", 1, "parent"], "stone"), ("own parent", ["labels", 1, "parent"], "brick"),
    ("parents in a circle", ["labels", 0, "parent"], "brick"), ("colour word", ["labels", 0, "color"], "red"),
    ("class D", ["labels", 0, "class"], "D"), ("hotkey of two letters", ["labels", 0, "hotkey"], "ab"),
    ("hotkey twice", ["labels", 1, "hotkey"], "1"), ("retired no flag", ["labels", 0, "retired"], 1),
    ("attribute name twice", ["labels", 0, "attributes", 1, "name"], "state"), ("attribute name with a dot", ["labels", 0, "attributes", 0, "name"], "a.b"),
    ("attribute kind", ["labels", 0, "attributes", 0, "kind"], "date"), ("attribute default", ["labels", 0, "attributes", 0, "default"], "rusty"),
    ("constraint kind", ["constraints", 0, "kind"], "min_regions"), ("constraint label", ["constraints", 0, "label"], "cat"),
    ("constraint value", ["constraints", 0, "value"], -1), ("constraint value is a fraction", ["constraints", 0, "value"], 1.5),
    ("overlap without a label", ["constraints", 2, "label"], ...), ("guideline version", ["guideline", "version"], 0),
]  # fmt: skip


def region(region_id: str, **more: Any) -> dict[str, Any]:
    found = {
        "id": region_id, "shape": "box", "label": "coin", "geometry": {"x0": 1, "y0": 2, "x1": 30.5, "y1": 40.125},
        "attributes": {"state": "worn"}, "asset": "a_1", "origin": {"kind": "drawn"},
    }  # fmt: skip
    found.update(more)
    return found


def brick(region_id: str, x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    return region(region_id, label="brick", attributes={}, geometry={"x0": x0, "y0": y0, "x1": x1, "y1": y1})


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return region(R1, shape="polygon", geometry={"rings": list(rings)})


def span(start: Any, end: Any, quote: Any, **more: Any) -> dict[str, Any]:
    return region(R1, shape="span", label="person", asset="a_2", attributes={}, geometry={"start": start, "end": end, "quote": quote}, **more)


SQUARE = [[10, 10], [100, 10], [100, 100], [10, 100]]
GOOD_ANSWERS = {"tone": "good"}

DOCUMENTS: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("empty", [], {"answers": {}}),
    ("good", [region(R1), brick(R2, 0, 0, 10, 10), span(0, 2, "王😀") | {"id": R3}], {}),
    ("unusable", [], {"answers": {}, "unusable": "模糊"}),
    ("all answers", [], {"answers": {"tone": "bad", "tags": ["y", "x"], "note": "ok", "count": 10}}),
    ("answers of wrong kinds", [], {"answers": {"tone": ["good"], "tags": "x", "note": 4, "count": "4"}}),
    ("answers out of the schema", [], {"answers": {"tone": "so", "tags": ["x", "z"], "mood": "up", "objects": 1, "count": 11}}),
    ("option twice", [], {"answers": {"tone": "good", "tags": ["x", "x"]}}),
    ("truth value as a number", [], {"answers": {"tone": "good", "count": True}}),
    ("label unknown", [region(R1, label="cat")], {}),
    ("label in no control", [region(R1, label="old", attributes={})], {}),
    ("right label, wrong shape", [span(0, 2, "王😀") | {"label": "coin"}], {}),
    ("shape unknown", [region(R1, shape="cuboid")], {}),
    ("asset unknown", [region(R1, asset="a_9")], {}),
    ("asset null", [region(R1, asset=None)], {}),
    ("box on a text", [region(R1, asset="a_2")], {}),
    ("attribute missing", [region(R1, attributes={})], {}),
    ("attribute unknown", [region(R1, attributes={"state": "worn", "colour": "red"})], {}),
    ("attributes of wrong kinds", [region(R1, attributes={"state": "rusty", "bent": "yes", "year": 3001})], {}),
    ("box inverted", [region(R1, geometry={"x0": 30, "y0": 2, "x1": 3, "y1": 40})], {}),
    ("box without height", [region(R1, geometry={"x0": 3, "y0": 2, "x1": 30, "y1": 2})], {}),
    ("box outside", [region(R1, geometry={"x0": 700, "y0": 2, "x1": 730, "y1": 40})], {}),
    ("box partly outside", [region(R1, geometry={"x0": -3, "y0": 2, "x1": 30, "y1": 40})], {}),
    ("box a little outside", [region(R1, geometry={"x0": -0.5, "y0": 2, "x1": 30, "y1": 40})], {}),
    ("box up to the edges", [region(R1, geometry={"x0": 0, "y0": 0, "x1": 640, "y1": 480})], {}),
    ("box with too many decimals", [region(R1, geometry={"x0": 1.00049, "y0": 2, "x1": 30, "y1": 40})], {}),
    ("box with a text for a number", [region(R1, geometry={"x0": "1", "y0": 2, "x1": 30, "y1": 40})], {}),
    ("box with true", [region(R1, geometry={"x0": True, "y0": 2, "x1": 30, "y1": 40})], {}),
    ("box with null", [region(R1, geometry={"x0": None, "y0": 2, "x1": 30, "y1": 40})], {}),
    ("box without x1", [region(R1, geometry={"x0": 1, "y0": 2, "y1": 40})], {}),
    ("box with a huge number", [region(R1, geometry={"x0": 1, "y0": 2, "x1": 1e300, "y1": 40})], {}),
    ("polygon", [polygon(SQUARE)], {}),
    ("polygon with a hole", [polygon(SQUARE, [[20, 20], [30, 20], [30, 30]])], {}),
    ("polygon other way round", [polygon(SQUARE[::-1])], {}),
    ("polygon of two points", [polygon([[1, 1], [9, 9]])], {}),
    ("polygon of repeated points", [polygon([[1, 1], [9, 9], [1, 1], [9, 9]])], {}),
    ("polygon without area", [polygon([[1, 1], [5, 5], [9, 9]])], {}),
    ("polygon crosses itself", [polygon([[1, 1], [90, 90], [90, 1], [1, 90]])], {}),
    ("polygon closed", [polygon([*SQUARE, SQUARE[0]])], {}),
    ("polygon with a point twice", [polygon([SQUARE[0], *SQUARE])], {}),
    ("polygon hole outside", [polygon(SQUARE, [[200, 20], [230, 20], [230, 30]])], {}),
    ("polygon hole crosses", [polygon(SQUARE, [[90, 20], [230, 20], [230, 30]])], {}),
    ("polygon hole in a hole", [polygon(SQUARE, [[20, 20], [80, 20], [80, 80], [20, 80]], [[30, 30], [40, 30], [40, 40]])], {}),
    ("polygon outside", [polygon([[600, 10], [700, 10], [650, 90]])], {}),
    ("polygon no list", [region(R1, shape="polygon", geometry={"rings": {}})], {}),
    ("polygon point of three", [polygon([[1, 1, 1], [90, 90, 1], [90, 1, 1]])], {}),
    ("mask", [region(R1, shape="mask", geometry={"tiles": {"0,0": DIGEST, "2,1": DIGEST}})], {}),
    ("mask outside", [region(R1, shape="mask", geometry={"tiles": {"3,0": DIGEST}})], {}),
    ("mask key", [region(R1, shape="mask", geometry={"tiles": {"0;0": DIGEST}})], {}),
    ("mask digest", [region(R1, shape="mask", geometry={"tiles": {"0,0": "x"}})], {}),
    ("mask tile without foreground", [region(R1, shape="mask", geometry={"tiles": {"0,0": masks.EMPTY_PART_DIGEST}})], {}),
    ("mask empty", [region(R1, shape="mask", geometry={"tiles": {}})], {}),
    ("span over an emoji", [span(1, 3, "😀说")], {}),
    ("span counted in UTF-16", [span(1, 4, "😀说")], {}),
    ("span empty", [span(2, 2, "")], {}),
    ("span too long", [span(2, 99, "说 hello")], {}),
    ("span with a fraction", [span(0.5, 2, "王😀")], {}),
    ("span with true", [span(True, 2, "😀")], {}),
    ("span quote missing", [region(R1, shape="span", label="person", asset="a_2", attributes={}, geometry={"start": 0, "end": 2})], {}),
    ("too many coins", [region(R1), region(R2), region(R3)], {}),
    ("coin too small", [region(R1, geometry={"x0": 1, "y0": 2, "x1": 4.5, "y1": 40})], {}),
    ("bricks overlap", [brick(R1, 0, 0, 10, 10), brick(R2, 9, 9, 20, 20)], {}),
    ("bricks touch", [brick(R1, 0, 0, 10, 10), brick(R2, 10, 0, 20, 10)], {}),
    ("two problems", [region(R1, label="cat"), region(R2, attributes={"state": 1})], {"answers": {"tone": "so"}}),
]  # fmt: skip

LABELS = BASE["labels"]
MIGRATIONS: list[tuple[str, Any, Any]] = [
    ("nothing", BASE, None),
    ("rename a label", changed(changed(changed(BASE, ["labels", 0, "name"], "medal"), ["labels", 1, "parent"], "medal"), ["controls", 0, "labels"], ["medal", "brick"]) | {"constraints": []}, {"labels": {"coin": "medal"}}),
    ("rename without a mapping", changed(changed(BASE, ["labels", 2, "name"], "human"), ["controls", 1, "labels"], ["human"]), None),
    ("swap two labels", changed(changed(changed(BASE, ["labels", 0, "name"], "brick"), ["labels", 1, "name"], "coin"), ["labels", 1, "parent"], "brick") | {"constraints": []}, {"labels": {"coin": "brick", "brick": "coin"}}),
    ("add a label", changed(BASE, ["labels"], [*LABELS, {"name": "new"}]), {}),
    ("retire a label", changed(BASE, ["labels", 2, "retired"], True), {}),
    ("restore a label", changed(BASE, ["labels", 3, "retired"], False), {}),
    ("remove a label", changed(BASE, ["labels"], LABELS[:3]), {}),
    ("merge labels", changed(changed(BASE, ["labels"], [LABELS[0], LABELS[2], LABELS[3]]), ["controls", 0, "labels"], ["coin"]) | {"constraints": []}, {"labels": {"brick": "coin"}}),
    ("split a label", BASE, {"labels": {"coin": ["coin", "brick"]}}),
    ("rename an attribute", changed(BASE, ["labels", 0, "attributes", 0, "name"], "condition"), {"attributes": {"coin.state": "condition"}}),
    ("add an attribute", changed(BASE, ["labels", 1, "attributes"], [{"name": "side", "kind": "text"}]), {}),
    ("retire an attribute", changed(BASE, ["labels", 0, "attributes", 1, "retired"], True), {}),
    ("remove an attribute", changed(BASE, ["labels", 0, "attributes"], LABELS[0]["attributes"][:2]), {}),
    ("merge attributes", changed(BASE, ["labels", 0, "attributes"], LABELS[0]["attributes"][:2]), {"attributes": {"coin.year": "bent"}}),
    ("change the kind of an attribute", changed(BASE, ["labels", 0, "attributes", 2, "kind"], "text"), {}),
    ("remove an option", changed(BASE, ["labels", 0, "attributes", 0, "options"], [{"name": "worn"}]), {}),
    ("remove a control", changed(BASE, ["controls"], BASE["controls"][:5]), {}),
    ("change the kind of a control", changed(BASE, ["controls", 4, "kind"], "number"), {}),
    ("take a shape away", changed(BASE, ["controls", 0, "shapes"], ["box"]), {}),
    ("map an unknown label", BASE, {"labels": {"cat": "coin"}}),
    ("map to an unknown label", BASE, {"labels": {"coin": "cat"}}),
    ("map an unknown attribute", BASE, {"attributes": {"coin.weight": "mass"}}),
    ("title, colour, class, guideline", changed(changed(changed(changed(BASE, ["labels", 0, "title"], "Coin!"), ["labels", 0, "color"], "#000000"), ["labels", 0, "class"], "C"), ["guideline", "version"], 4), {}),
]  # fmt: skip


def infos() -> dict[str, AssetInfo]:
    return {name: AssetInfo(**value) for name, value in ASSETS.items()}  # type: ignore[arg-type]


def document_of(regions: list[dict[str, Any]], more: dict[str, Any]) -> dict[str, Any]:
    found = empty()
    found["regions"] = {one["id"]: one for one in regions}
    found["answers"] = dict(GOOD_ANSWERS)
    found.update(more)
    return found


def schema_vectors() -> dict[str, Any]:
    base = parse_schema(BASE)
    broken = []
    for name, path, value in BROKEN:
        document = changed(BASE, path, value)
        try:
            parse_schema(document)
        except ConcordError as error:
            broken.append({"name": name, "document": document, "code": error.code, "field": error.field})
        else:
            raise AssertionError(name)
    documents = []
    for name, regions, more in DOCUMENTS:
        document = document_of(regions, more)
        entry: dict[str, Any] = {"name": name, "document": document}
        for mode in ("save", "submit"):
            problems = check_document(document, base, infos(), mode=mode)
            entry[mode] = [{"code": one.code, "field": one.field} for one in problems]
        documents.append(entry)
    migrations = []
    start = document_of([region(R1, attributes={"state": "new", "year": 7}), brick(R2, 0, 0, 5, 5)], {})
    for name, document, mapping in MIGRATIONS:
        new = parse_schema(document)
        entry = {"name": name, "schema": document, "mapping": mapping}
        try:
            schema.check_migration(base, new, mapping)
        except ConcordError as error:
            entry.update(code=error.code, field=error.field)
        else:
            steps = schema.migrate_changes(start, mapping)
            after = changes.apply(start, steps)
            assert changes.apply(after, changes.invert(steps)) == start
            entry.update(
                code=None, diff=[{key: one[key] for key in ("kind", "what", "name")} for one in schema.diff(base, new, mapping)],
                changes=steps, digest=canonical.digest(after), problems=[one.code for one in check_document(after, new, infos(), mode="save")],
            )  # fmt: skip
        migrations.append(entry)
    return {
        "about": "`schema` is valid; `broken`: refused with `code` at `field`; `documents`: problems against `schema` and "
        "`assets` when saved and when submitted; `migrations`: from `schema` to another with a mapping, refused with "
        "`code` or the changes that carry `migrated` over.",
        "schema": BASE, "digest": base.digest, "effective": base.effective, "assets": ASSETS,
        "migrated": start, "broken": broken, "documents": documents, "migrations": migrations,
    }  # fmt: skip
