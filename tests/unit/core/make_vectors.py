# ruff: noqa: E501 - the cases are tables
"""Writes `fixtures/vectors/*.json`: the cases that Python and the workbench must answer alike.

The inputs are written by hand here; answers come from `annotator.core`, and the tests hold them against other
sources (Node's own number writer, pycocotools, values derived by hand in the cases). Deterministic: running it
again must change nothing (`python -m tests.unit.core.make_vectors`; a test compares).
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from annotator.core import canonical, changes, geometry, masks, spans
from annotator.core.document import empty
from annotator.core.errors import ConcordError

VECTORS = Path(__file__).resolve().parents[3] / "fixtures" / "vectors"


def refused(call: Any, *args: Any) -> str:
    try:
        call(*args)
    except ConcordError as error:
        return error.code
    raise AssertionError(f"not refused: {args!r}")


# --- canonical.json ---

NUMBER_BITS = [
    # IEEE 754 bits, among them the sample of RFC 8785, appendix B
    "0000000000000000", "8000000000000000", "0000000000000001", "8000000000000001", "7fefffffffffffff",
    "ffefffffffffffff", "4340000000000000", "c340000000000000", "4430000000000000", "44b52d02c7e14af5",
    "44b52d02c7e14af6", "44b52d02c7e14af7", "444b1ae4d6e2ef4e", "444b1ae4d6e2ef4f", "444b1ae4d6e2ef50",
    "3eb0c6f7a0b5ed8c", "3eb0c6f7a0b5ed8d", "41b3de4355555553", "41b3de4355555554", "41b3de4355555555",
    "41b3de4355555556", "41b3de4355555557", "becbf647612f3696", "43143ff3c1cb0959", "3ff0000000000000",
    "3fb999999999999a", "3fd5555555555555", "40934a456d5cfaad", "408f400000000000", "3f50624dd2f1a9fc",
    "3e7ad7f29abcaf48", "4415af1d78b58c40", "c05edd2f1a9fbe77", "3ff0000000000001", "40c3880000000000",
]  # fmt: skip
CANONICAL_TEXTS = [
    ("empty object", "{}"),
    ("empty array", "[]"),
    ("literals", "[null, true, false]"),
    ("whole floats lose their point", '[1.0, -0.0, 0.0, 100.0, 1e2, 1E+2, -5.50]'),
    ("exponents", "[1e21, 1e20, 123456789012345680000, 1e-6, 1e-7, 0.000001234, 1.5e300, 5e-324]"),
    ("thousandths", "[0.1, 0.2, 12.345, 1920.125, 0.30000000000000004, 99999.999]"),
    ("largest safe and exact integers", "[9007199254740991, -9007199254740991, 9007199254740992]"),
    ("keys in order of UTF-16 units", '{"\\ufb33":1,"\\ud83d\\ude00":2,"\\u20ac":3,"\\r":4,"1":5,"\\u00f6":6,"\\u0080":7}'),
    ("astral keys before the private use area", '{"\\ue000":1,"\\ud83d\\ude00":2,"\\uffff":3,"\\ud7ff":4,"a":5}'),
    ("keys that look like numbers", '{"10":1,"9":2,"1":3,"01":4,"":5,"-1":6}'),
    ("escapes", '["\\u0001\\b\\t\\n\\f\\r\\"\\\\\\/\\u001f\\u007f\\u2028\\u2029"]'),
    ("chinese", '{"标签":"硬币","b":"第一","a":{"子":[1,2,{"丙":null}]}}'),
    ("emoji and joined families", '["\\ud83d\\udc68\\u200d\\ud83d\\udc69\\u200d\\ud83d\\udc67", "\\ud83c\\udde8\\ud83c\\uddf3"]'),
    ("prototype keys are keys", '{"__proto__":{"a":1},"constructor":2,"toString":3,"hasOwnProperty":4}'),
    ("case", '{"b":1,"B":2,"a":3,"A":4}'),
    ("nothing is normalised", '["e\\u0301", "\\u00e9"]'),
    ("deep but allowed", "[" * 64 + "]" * 64),
    ("digits in texts stay", '{"a":"1.0 1e+5 12345678901234567890","3e4":"0.0"}'),
]
CANONICAL_REFUSED = [
    ("NaN", "[NaN]"), ("infinity", "[Infinity]"), ("minus infinity", "[-Infinity]"), ("overflow", "[1e309]"),
    ("minus overflow", "[-1e400]"), ("inexact integer", "[9007199254740993]"), ("duplicate key", '{"a":1,"a":1}'),
    ("duplicate key by escape", '{"a":1,"\\u0061":2}'), ("lone high surrogate", '["\\ud83d"]'),
    ("lone low surrogate", '["\\ude00"]'), ("lone surrogate in a key", '{"\\ud83d":1}'),
    ("swapped pair", '["\\ude00\\ud83d"]'), ("nul", '["a\\u0000b"]'), ("too deep", "[" * 65 + "]" * 65),
    ("much too deep", "[" * 10000 + "]" * 10000), ("cut", '{"a":'), ("trailing comma", "[1,]"),
    ("leading zero", "[01]"), ("plus sign", "[+1]"), ("single quotes", "{'a':1}"), ("comment", "[1] // one"),
    ("two values", "{} {}"), ("nothing", ""), ("control character", '["\t"]'), ("hexadecimal", "[0x10]"),
]  # fmt: skip


def canonical_vectors() -> dict[str, Any]:
    numbers = []
    for bits in NUMBER_BITS:
        (value,) = struct.unpack(">d", bytes.fromhex(bits))
        numbers.append({"bits": bits, "text": canonical.es6_number(value)})
    cases = []
    for name, text in CANONICAL_TEXTS:
        value = canonical.strict_loads(text)
        cases.append(
            {"name": name, "json": text, "canonical": canonical.canonical_text(value), "sha256": canonical.digest(value)}
        )
    no = [{"name": name, "json": text, "code": refused(canonical.strict_loads, text)} for name, text in CANONICAL_REFUSED]
    return {
        "about": "Parse `json`, write it canonically (RFC 8785), digest the UTF-8 bytes. `numbers`: IEEE 754 bits, big "
        "endian, to text. `refused`: texts that a strict reader refuses with `code` (the workbench may rely on the "
        "server for the codes; JSON.parse cannot see duplicate keys).",
        "numbers": numbers, "cases": cases, "refused": no,
    }  # fmt: skip


# --- changes.json ---

R1, R2, R3, R4 = (f"r_{letter * 16}" for letter in "abcd")
D1, D2, D3 = (masks.part_digest(bytes([n])) for n in (1, 2, 3))


def box(region_id: str, **more: Any) -> dict[str, Any]:
    region = {
        "id": region_id, "shape": "box", "label": "coin", "geometry": {"x0": 1, "y0": 2, "x1": 30.5, "y1": 40.125},
        "attributes": {}, "asset": "a_1", "origin": {"kind": "drawn"},
    }  # fmt: skip
    region.update(more)
    return region


def mask(region_id: str, tiles: dict[str, str], **more: Any) -> dict[str, Any]:
    return box(region_id, shape="mask", geometry={"tiles": tiles}, **more)


def document(*regions: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = empty()
    found["regions"] = {region["id"]: region for region in regions}
    found.update(more)
    return found


def put(path: list[str], before: Any, after: Any) -> dict[str, Any]:
    return {"op": "set", "path": path, "before": before, "after": after}


def tile(region_id: str, key: str, before: str | None, after: str | None) -> dict[str, Any]:
    return {"op": "tile", "region": region_id, "tile": key, "before": before, "after": after}


STRANGE = {"newer": {"a": [1, None, {"b": "子"}]}, "__proto__": {"x": 1}, "nothing": None}

APPLY = [
    ("nothing", document(), []),
    ("add to an empty document", document(), [{"op": "add", "region": box(R1)}]),
    ("add two, remove the first", document(), [
        {"op": "add", "region": box(R1)}, {"op": "add", "region": box(R2, label="brick")},
        {"op": "remove", "region": box(R1)}]),
    ("add and remove the same", document(), [{"op": "add", "region": box(R1)}, {"op": "remove", "region": box(R1)}]),
    ("remove compares canonically: 1.0 is 1", document(box(R1)), [
        {"op": "remove", "region": box(R1, geometry={"y1": 40.125, "x0": 1.0, "y0": 2.0, "x1": 30.5})}]),
    ("replace moves a box", document(box(R1)), [
        {"op": "replace", "before": box(R1), "after": box(R1, geometry={"x0": 2, "y0": 3, "x1": 31.5, "y1": 41.125})}]),
    ("replace may change the shape", document(box(R1)), [
        {"op": "replace", "before": box(R1), "after": mask(R1, {"0,0": D1})}]),
    ("set a label and take it back", document(box(R1)), [
        put(["regions", R1, "label"], "coin", "brick"), put(["regions", R1, "label"], "brick", "coin")]),
    ("set a geometry", document(box(R1)), [
        put(["regions", R1, "geometry"], box(R1)["geometry"], {"x0": 0, "y0": 0, "x1": 5, "y1": 5})]),
    ("set an origin", document(box(R1, origin={"kind": "kept", "prelabel": "pl_1", "region": R4})), [
        put(["regions", R1, "origin"], {"kind": "kept", "prelabel": "pl_1", "region": R4},
            {"kind": "edited", "prelabel": "pl_1", "region": R4})]),
    ("set z from absent, change it, make it absent", document(box(R1)), [
        put(["regions", R1, "z"], None, 0), put(["regions", R1, "z"], 0, -3), put(["regions", R1, "z"], -3, None)]),
    ("set a frame", document(box(R1)), [put(["regions", R1, "frame"], None, 12)]),
    ("asset: null is the value", document(box(R1)), [
        put(["regions", R1, "asset"], "a_1", None), put(["regions", R1, "asset"], None, "a_2")]),
    ("attributes: add, change, remove", document(box(R1)), [
        put(["regions", R1, "attributes", "state"], None, "worn"), put(["regions", R1, "attributes", "n"], None, 3),
        put(["regions", R1, "attributes", "state"], "worn", ["worn", "bent"]),
        put(["regions", R1, "attributes", "n"], 3, None)]),
    ("attribute false and 0 are values", document(box(R1, attributes={"flag": False, "n": 0})), [
        put(["regions", R1, "attributes", "flag"], False, True), put(["regions", R1, "attributes", "n"], 0, 1)]),
    ("all attributes at once", document(box(R1, attributes={"a": 1})), [
        put(["regions", R1, "attributes"], {"a": 1}, {"b": 2})]),
    ("an unknown key of a region", document(box(R1, **STRANGE)), [
        put(["regions", R1, "newer"], {"a": [1, None, {"b": "子"}]}, "older"), put(["regions", R1, "more"], None, [1])]),
    ("a prototype key is a key", document(box(R1)), [put(["regions", R1, "attributes", "__proto__"], None, "x")]),
    ("unknown keys of region and document stay", document(box(R1, **STRANGE), later={"k": [None, 1.5]}), [
        put(["regions", R1, "label"], "coin", "brick")]),
    ("answers: add, change, remove", document(answers={"tone": "good"}), [
        put(["answers", "tone"], "good", "bad"), put(["answers", "tags"], None, ["a", "b"]),
        put(["answers", "n"], None, 4.5), put(["answers", "tone"], "bad", None)]),
    ("unusable and usable again", document(box(R1)), [
        put(["unusable"], None, "blurred 模糊"), put(["unusable"], "blurred 模糊", None)]),
    ("mark unusable", document(box(R1)), [put(["unusable"], None, "模糊 😀")]),
    ("tiles: add, change, remove", document(mask(R1, {"0,0": D1})), [
        tile(R1, "1,0", None, D2), tile(R1, "0,0", D1, D3), tile(R1, "1,0", D2, None), tile(R1, "12,7", None, D2)]),
    ("last tile away", document(mask(R1, {"0,0": D1})), [tile(R1, "0,0", D1, None)]),
    ("tile of a region added in the same list", document(), [
        {"op": "add", "region": mask(R1, {})}, tile(R1, "0,0", None, D1)]),
    ("a long session", document(), [
        {"op": "add", "region": box(R1)}, {"op": "add", "region": mask(R2, {"0,0": D1})},
        put(["regions", R1, "label"], "coin", "brick"), tile(R2, "0,1", None, D2),
        {"op": "add", "region": box(R3, shape="span", label="person", asset="a_2",
                                    geometry={"start": 3, "end": 5, "quote": "王😀"})},
        put(["answers", "tone"], None, "good"), put(["regions", R1, "attributes", "state"], None, "worn"),
        {"op": "replace", "before": box(R1, label="brick", attributes={"state": "worn"}),
         "after": box(R1, label="brick", attributes={"state": "worn"}, geometry={"x0": 0, "y0": 0, "x1": 9, "y1": 9})},
        {"op": "remove", "region": mask(R2, {"0,0": D1, "0,1": D2})}, put(["unusable"], None, "no")]),
]  # fmt: skip

CONFLICTS = [
    ("add an id that exists", document(box(R1)), [{"op": "add", "region": box(R1)}]),
    ("add twice", document(), [{"op": "add", "region": box(R1)}, {"op": "add", "region": box(R1)}]),
    ("remove what is not there", document(), [{"op": "remove", "region": box(R1)}]),
    ("remove something else", document(box(R1)), [{"op": "remove", "region": box(R1, label="brick")}]),
    ("replace what is not there", document(), [{"op": "replace", "before": box(R1), "after": box(R1, z=1)}]),
    ("replace something else", document(box(R1)), [{"op": "replace", "before": box(R1, z=1), "after": box(R1)}]),
    ("replace under another id", document(box(R1)), [{"op": "replace", "before": box(R1), "after": box(R2)}]),
    ("label was another", document(box(R1)), [put(["regions", R1, "label"], "brick", "coin")]),
    ("label away", document(box(R1)), [put(["regions", R1, "label"], "coin", None)]),
    ("geometry away", document(box(R1)), [put(["regions", R1, "geometry"], box(R1)["geometry"], None)]),
    ("z was absent, not 0", document(box(R1)), [put(["regions", R1, "z"], 0, 1)]),
    ("z was 0, not absent", document(box(R1, z=0)), [put(["regions", R1, "z"], None, 1)]),
    ("true is not 1", document(box(R1, attributes={"n": 1})), [put(["regions", R1, "attributes", "n"], True, 2)]),
    ("'1' is not 1", document(box(R1, attributes={"n": 1})), [put(["regions", R1, "attributes", "n"], "1", 2)]),
    ("attribute of no region", document(), [put(["regions", R1, "attributes", "n"], None, 2)]),
    ("an explicit null is not absent", document(box(R1, **STRANGE)), [put(["regions", R1, "nothing"], None, 2)]),
    ("the id", document(box(R1)), [put(["regions", R1, "id"], R1, R2)]),
    ("the shape", document(box(R1)), [put(["regions", R1, "shape"], "box", "mask")]),
    ("a path within a geometry", document(box(R1)), [put(["regions", R1, "geometry", "x0"], 1, 2)]),
    ("a path to all regions", document(box(R1)), [put(["regions"], None, {})]),
    ("a path to one region", document(box(R1)), [put(["regions", R1], None, {})]),
    ("a path to all answers", document(), [put(["answers"], None, {})]),
    ("a path to the format", document(), [put(["format"], 1, 2)]),
    ("an empty path", document(), [put([], None, 2)]),
    ("answer was another", document(answers={"tone": "good"}), [put(["answers", "tone"], "bad", "good")]),
    ("answer was absent", document(), [put(["answers", "tone"], "bad", "good")]),
    ("answer order counts", document(answers={"t": ["a", "b"]}), [put(["answers", "t"], ["b", "a"], ["a"])]),
    ("unusable was not", document(), [put(["unusable"], "blurred", None)]),
    ("tile was another", document(mask(R1, {"0,0": D1})), [tile(R1, "0,0", D2, D3)]),
    ("tile was absent", document(mask(R1, {})), [tile(R1, "0,0", D2, D3)]),
    ("tile was there", document(mask(R1, {"0,0": D1})), [tile(R1, "0,0", None, D3)]),
    ("tile of a box", document(box(R1)), [tile(R1, "0,0", None, D3)]),
    ("tile of no region", document(), [tile(R1, "0,0", None, D3)]),
    ("the third change", document(box(R1)), [
        put(["regions", R1, "label"], "coin", "brick"), put(["regions", R1, "z"], None, 4),
        put(["regions", R1, "label"], "coin", "stone")]),
]  # fmt: skip

MALFORMED: list[tuple[str, Any]] = [
    ("not a list", {}),
    ("not an object", ["add"]),
    ("unknown op", [{"op": "merge"}]),
    ("no op", [{}]),
    ("missing key", [{"op": "add"}]),
    ("unknown key", [{"op": "add", "region": box(R1), "why": 1}]),
    ("bad region id", [{"op": "add", "region": box("r_1")}]),
    ("region without a label", [{"op": "add", "region": {k: v for k, v in box(R1).items() if k != "label"}}]),
    ("region without a geometry", [{"op": "add", "region": box(R1, geometry=None)}]),
    ("region without an asset", [{"op": "add", "region": {k: v for k, v in box(R1).items() if k != "asset"}}]),
    ("null attribute", [{"op": "add", "region": box(R1, attributes={"a": None})}]),
    ("unknown origin", [{"op": "add", "region": box(R1, origin={"kind": "found"})}]),
    ("z is a truth value", [{"op": "add", "region": box(R1, z=True)}]),
    ("z is a fraction", [{"op": "add", "region": box(R1, z=0.5)}]),
    ("negative frame", [{"op": "add", "region": box(R1, frame=-1)}]),
    ("replace under another id", [{"op": "replace", "before": box(R1), "after": box(R2)}]),
    ("tile key", [tile(R1, "0,-1", None, D1)]),
    ("tile key with a leading zero", [tile(R1, "01,0", None, D1)]),
    ("tile digest", [tile(R1, "0,0", None, "abc")]),
    ("tile digest in capitals", [tile(R1, "0,0", None, D1.upper())]),
    ("tile without foreground", [tile(R1, "0,0", None, masks.EMPTY_PART_DIGEST)]),
    ("path is no list", [{"op": "set", "path": "unusable", "before": None, "after": None}]),
    ("path that does not exist", [put(["regions", R1], None, None)]),
    ("label away", [put(["regions", R1, "label"], "coin", None)]),
    ("unusable without a reason", [put(["unusable"], None, "  ")]),
]


def changes_vectors() -> dict[str, Any]:
    cases = []
    for name, start, steps in APPLY:
        changes.parse_changes(steps)
        result = changes.apply(start, steps)
        inverse = changes.invert(steps)
        assert canonical.digest(changes.apply(result, inverse)) == canonical.digest(start), name
        touched = changes.touched(steps)
        cases.append({
            "name": name, "document": start, "changes": steps, "result": result, "digest": canonical.digest(result),
            "inverse": inverse, "touched": {
                "regions": sorted(touched.regions), "parts": sorted(touched.parts), "answers": sorted(touched.answers),
                "unusable": touched.unusable},
        })  # fmt: skip
    conflicts = []
    for name, start, steps in CONFLICTS:
        try:
            changes.apply(start, steps)
        except changes.ChangeConflict as error:
            conflicts.append(
                {"name": name, "document": start, "changes": steps, "index": error.index, "code": error.code}
            )
        else:
            raise AssertionError(name)
    malformed = [
        {"name": name, "changes": steps, "code": refused(changes.parse_changes, steps)} for name, steps in MALFORMED
    ]
    return {
        "about": "`cases`: document + changes = result (compare by digest); inverse takes it back. `conflicts`: apply "
        "fails at change `index` with `code`. `malformed`: refused by the server before anything is applied.",
        "empty_digest": canonical.digest(empty()), "cases": cases, "conflicts": conflicts, "malformed": malformed,
    }  # fmt: skip


# --- parts.json ---


def tile_of_runs(runs: list[int]) -> np.ndarray:
    return masks.pixels_of(np.asarray(runs)).reshape(256, 256)


def part_cases() -> list[tuple[str, np.ndarray]]:
    yy, xx = np.mgrid[0:256, 0:256]
    rng = np.random.default_rng(7)
    return [
        ("background only", np.zeros((256, 256), bool)),
        ("foreground only", np.ones((256, 256), bool)),
        ("first pixel", (xx == 0) & (yy == 0)),
        ("last pixel", (xx == 255) & (yy == 255)),
        ("one pixel amid", (xx == 127) & (yy == 128)),
        ("first row", yy == 0),
        ("first column", xx == 0),
        ("runs of 127 and 128", tile_of_runs([127, 128, 128, 127, 65026])),
        ("runs of 16383 and 16384", tile_of_runs([16383, 16384, 16384, 16385])),
        ("square", (xx >= 10) & (xx < 20) & (yy >= 30) & (yy < 40)),
        ("disc", (xx - 128) ** 2 + (yy - 128) ** 2 < 100**2),
        ("chess board", (xx + yy) % 2 == 0),
        ("chess board, inverse", (xx + yy) % 2 == 1),
        ("noise", rng.random((256, 256)) < 0.3),
    ]


PART_REFUSED = [
    ("no bytes", ""), ("cut within a number", "80"), ("cut at the end", "80808480"), ("not the shortest form", "8000"),
    ("not the shortest form, long", "80808400"), ("too short", "80feff03"[:6]), ("sum too small", "01"),
    ("sum too large", "818004"), ("zero run amid", "0100ffff03"), ("zero run at the end", "80800400"),
    ("beyond 2**21", "8080808001"), ("beyond 2**63", "ffffffffffffffffff01"),
]  # fmt: skip

RASTER = [
    ("unit square", [[[0, 0], [1, 0], [1, 1], [0, 1]]], 8, 8),
    ("edges on pixel centres", [[[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5]]], 8, 8),
    ("triangle", [[[1, 1], [200.25, 30.5], [60.125, 250.75]]], 300, 300),
    ("square with a hole", [[[10, 10], [100, 10], [100, 100], [10, 100]], [[40, 40], [60, 40], [60, 60], [40, 60]]], 128, 128),
    ("over four tiles", [[[200, 200], [320.5, 210.125], [300.333, 400.667], [190.001, 300.999]]], 640, 480),
    ("star", [[[100, 10], [120, 80], [190, 80], [135, 120], [155, 190], [100, 145], [45, 190], [65, 120], [10, 80], [80, 80]]], 256, 256),
    ("thinner than a pixel", [[[0.6, 0], [0.9, 0], [0.9, 10], [0.6, 10]]], 8, 16),
    ("anticlockwise", [[[0, 0], [0, 50], [50, 50], [50, 0]]], 64, 64),
    ("beyond the picture is cut", [[[-10, -10], [30, -10], [30, 30], [-10, 30]]], 20, 20),
]  # fmt: skip

COCO = [("empty", 4, 5, []), ("full", 3, 2, [[0, 0, 2, 3]]), ("corner", 5, 4, [[0, 0, 1, 1]]),
        ("two boxes", 20, 30, [[2, 3, 12, 9], [15, 10, 29, 20]]), ("large", 300, 500, [[20, 30, 450, 280]])]  # fmt: skip


def boxes_mask(height: int, width: int, boxes: list[list[int]]) -> np.ndarray:
    pixels = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in boxes:
        pixels[y0:y1, x0:x1] = True
    return pixels


def parts_vectors() -> dict[str, Any]:
    parts = []
    for name, pixels in part_cases():
        raw = masks.encode_part(pixels)
        runs = masks.runs_of(pixels).tolist()
        part = {"name": name, "hex": raw.hex(), "digest": masks.part_digest(raw), "area_px": int(pixels.sum())}
        if len(raw) <= 4000:
            part["runs"] = runs
        else:
            part["n_runs"] = len(runs)
            if name == "noise":
                part["runs"] = runs
            del part["hex"]
            part["pattern"] = name
        parts.append(part)
    raster = []
    for name, rings, width, height in RASTER:
        tiles = masks.rasterise_to_tiles(rings, width_px=width, height_px=height)
        encoded = {key: masks.part_digest(masks.encode_part(one)) for key, one in sorted(tiles.items())}
        area = sum(int(one.sum()) for one in tiles.values())
        raster.append({"name": name, "rings": rings, "width": width, "height": height, "tiles": encoded, "area_px": area})
    coco = []
    for name, height, width, boxes in COCO:
        rle = masks.coco_rle_encode(boxes_mask(height, width, boxes))
        coco.append({"name": name, "height": height, "width": width, "boxes": boxes, "counts": rle["counts"]})
    return {
        "about": "`parts`: run lengths of one 256 x 256 tile, row by row, background first; their LEB128 bytes; the "
        "sha256 of the bytes. Where `pattern` stands, make the pixels: chess board = (x + y) even, inverse = odd. "
        "`refused`: bytes that are no canonical part. `rasterise`: even-odd on pixel centres; an edge a-b crosses row "
        "centre c when min(ay,by) <= c < max(ay,by) at x = ax + (c - ay) * (bx - ax) / (by - ay), and pixels from "
        "column ceil(x - 0.5) on change sides; tiles by digest. `coco`: compressed run lengths, column by column.",
        "empty_digest": masks.EMPTY_PART_DIGEST,
        "parts": parts,
        "refused": [
            {"name": name, "hex": raw, "code": refused(masks.part_runs, bytes.fromhex(raw))} for name, raw in PART_REFUSED
        ],
        "rasterise": raster,
        "coco": coco,
    }


# --- spans.json ---

TEXTS = [
    "plain ascii", "", "中文没有空格", "a😀b", "😀😀", "👨‍👩‍👧 family", "🇨🇳🇫🇷", "e\u0301clair", "𠮷野家 and 𩸽", "a\r\nb\tc",
    "\ufeffmark", "שלום עולם", "①②③ 🀄 end", "a\U00010000\U0010ffffz",
]  # fmt: skip
SPAN_PAIRS = [((0, 10), (0, 10)), ((0, 10), (10, 20)), ((0, 10), (5, 15)), ((0, 10), (2, 4)), ((3, 4), (3, 4)),
              ((0, 1), (100, 200)), ((5, 15), (0, 10)), ((0, 3), (1, 3))]  # fmt: skip


def spans_vectors() -> dict[str, Any]:
    texts = []
    for text in TEXTS:
        offsets = [spans.codepoint_to_utf16(text, index) for index in range(len(text) + 1)]
        inside = [offset for offset in range(offsets[-1] + 1) if offset not in offsets]
        for offset in inside:
            assert refused(spans.utf16_to_codepoint, text, offset) == "span_inside_pair"
        texts.append({"text": text, "n_codepoints": len(text), "utf16": offsets, "inside_pair": inside})
    quotes = []
    for text, start, end in [("a😀b中", 1, 2), ("a😀b中", 2, 4), ("a\r\nb", 1, 3), ("👨‍👩‍👧", 0, 5), ("👨‍👩‍👧", 0, 1)]:
        quotes.append({"text": text, "start": start, "end": end, "quote": spans.quote_of(text, start, end)})
    no = []
    for text, start, end in [("abc", 1, 1), ("abc", 2, 1), ("abc", -1, 2), ("abc", 1, 4), ("", 0, 1), ("😀", 0, 2)]:
        no.append({"text": text, "start": start, "end": end, "code": refused(spans.quote_of, text, start, end)})
    return {
        "about": "`texts`: UTF-16 offset of every code point offset; UTF-16 offsets inside a surrogate pair are refused. "
        "`quotes`: half-open intervals in code points. `iou`: common length over union.",
        "texts": texts, "quotes": quotes, "refused": no,
        "iou": [{"a": list(a), "b": list(b), "iou": spans.span_iou(a, b)} for a, b in SPAN_PAIRS],
    }  # fmt: skip


# --- iou.json ---

BOX_PAIRS = [
    ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),
    ([0, 0, 10, 10], [5, 0, 15, 10], 50 / 150),
    ([0, 0, 10, 10], [10, 0, 20, 10], 0.0),
    ([0, 0, 10, 10], [20, 20, 30, 30], 0.0),
    ([0, 0, 10, 10], [2, 2, 4, 4], 4 / 100),
    ([0, 0, 10, 10], [5, 5, 15, 15], 25 / 175),
    ([0.5, 0.25, 1.5, 1.25], [1, 0.25, 2, 1.25], 0.5 / 1.5),
    ([1000, 1000, 1001, 1001], [1000.5, 1000, 1001.5, 1001], 0.5 / 1.5),
]
EDGES = [
    ([0, 0, 10, 10], [2, 2, 12, 12], 2, True), ([0, 0, 10, 10], [2.001, 0, 10, 10], 2, False),
    ([0.1, 0, 10, 10], [2.1, 0, 10, 10], 2, True), ([0, 0, 10, 10], [0, 0, 10, 10], 0, True),
    ([0.3, 0, 10, 10], [0.1, 0, 10, 10], 0.2, True), ([0, 0, 10, 10], [0, 0, 10, 13], 2, False),
]  # fmt: skip
POLYGONS = [
    ("square", [[[0, 0], [10, 0], [10, 10], [0, 10]]], 100.0, [5.0, 5.0]),
    ("square, other way round", [[[0, 0], [0, 10], [10, 10], [10, 0]]], 100.0, [5.0, 5.0]),
    ("triangle", [[[0, 0], [6, 0], [0, 3]]], 9.0, [2.0, 1.0]),
    ("with a hole", [[[0, 0], [10, 0], [10, 10], [0, 10]], [[6, 4], [8, 4], [8, 6], [6, 6]]], 96.0, [472 / 96, 5.0]),
    ("far away", [[[10000, 10000], [10001, 10000], [10001, 10001], [10000, 10001]]], 1.0, [10000.5, 10000.5]),
]
POINTS = [
    ("inside", 5, 5, True), ("outside", 15, 5, False), ("in the hole", 7, 5, False), ("left edge is in", 0, 5, True),
    ("right edge is out", 10, 5, False), ("top edge is in", 5, 0, True), ("bottom edge is out", 5, 10, False),
    ("top left corner is in", 0, 0, True), ("bottom right corner is out", 10, 10, False),
]  # fmt: skip
CROSSING = [
    ("square", [[[0, 0], [10, 0], [10, 10], [0, 10]]], None),
    ("triangle", [[[0, 0], [10, 0], [5, 8]]], None),
    ("bow tie", [[[0, 0], [10, 10], [10, 0], [0, 10]]], [0, 0]),
    ("touches itself in a point", [[[0, 0], [10, 0], [5, 5], [10, 10], [0, 10], [5, 5]]], [0, 0]),
    ("point on another edge", [[[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]]], [0, 0]),
    ("folds back", [[[0, 0], [10, 0], [5, 0], [5, 5]]], [0, 0]),
    ("folded triangle", [[[0, 0], [10, 0], [5, 0]]], [0, 0]),
    ("point on a straight edge", [[[0, 0], [5, 0], [10, 0], [10, 10], [0, 10]]], None),
    ("hole inside", [[[0, 0], [10, 0], [10, 10], [0, 10]], [[2, 2], [4, 2], [4, 4], [2, 4]]], None),
    ("hole crosses", [[[0, 0], [10, 0], [10, 10], [0, 10]], [[8, 2], [14, 2], [14, 4], [8, 4]]], [0, 1]),
    ("hole touches in a point", [[[0, 0], [10, 0], [10, 10], [0, 10]], [[0, 5], [4, 4], [4, 6]]], None),
    ("hole shares a stretch", [[[0, 0], [10, 0], [10, 10], [0, 10]], [[0, 4], [0, 6], [4, 5]]], [0, 1]),
    ("spiral", [[[0, 0], [9, 0], [9, 9], [2, 9], [2, 4], [5, 4], [5, 6], [4, 6], [4, 5], [3, 5], [3, 8], [8, 8], [8, 1], [0, 1]]], None),
    ("a thousandth apart", [[[0, 0], [10, 0], [10, 0.001], [5, 0.001], [0, 0.001]]], None),
]  # fmt: skip


def iou_vectors() -> dict[str, Any]:
    boxes = []
    for a, b, by_hand in BOX_PAIRS:
        value = float(geometry.box_ious([a], [b])[0, 0])
        assert abs(value - by_hand) < 1e-12
        boxes.append({"a": a, "b": b, "iou": by_hand})
    edges = []
    for a, b, edge_px, within in EDGES:
        assert bool(geometry.edges_within([a], [b], edge_px)[0, 0]) is within, (a, b)
        edges.append({"a": a, "b": b, "edge_px": edge_px, "within": within})
    polygons = []
    for name, rings, area, centre in POLYGONS:
        assert abs(geometry.polygon_area(rings) - area) < 1e-9, name
        assert np.allclose(geometry.polygon_centroid(rings), centre), name
        polygons.append({"name": name, "rings": rings, "area": area, "centroid": centre})
    points = []
    for name, x, y, inside in POINTS:
        assert geometry.point_in_rings(x, y, POLYGONS[3][1]) is inside, name
        points.append({"name": name, "rings": POLYGONS[3][1], "x": x, "y": y, "inside": inside})
    crossing = []
    for name, rings, expected in CROSSING:
        found = geometry.rings_cross(rings)
        assert (list(found) if found else None) == expected, (name, found)
        crossing.append({"name": name, "rings": rings, "crosses": expected})
    one = masks.mask_to_parts(boxes_mask(300, 300, [[0, 0, 100, 100], [260, 260, 300, 300]]))
    two = masks.mask_to_parts(boxes_mask(300, 300, [[50, 0, 150, 100], [260, 260, 300, 300]]))
    known = {**one[1], **two[1]}
    value = masks.mask_iou(one[0], two[0], known.__getitem__)
    assert value is not None and abs(value - (5000 + 1600) / (15000 + 1600)) < 1e-12
    return {
        "about": "Expected values derived by hand. Boxes x0, y0, x1, y1. `edges`: every edge within edge_px, compared in "
        "thousandths of a pixel. `points`: even-odd, left and top edges in, right and bottom out. `crossing`: the pair "
        "of rings that meet where they may not, or null. `masks`: foreground boxes in a 300 x 300 picture.",
        "boxes": boxes, "edges": edges, "polygons": polygons, "points": points, "crossing": crossing,
        "masks": [{"a": [[0, 0, 100, 100], [260, 260, 300, 300]], "b": [[50, 0, 150, 100], [260, 260, 300, 300]],
                   "a_tiles": one[0], "b_tiles": two[0], "iou": 6600 / 16600}],
    }  # fmt: skip


def all_vectors() -> dict[str, dict[str, Any]]:
    found = {
        "canonical": canonical_vectors(), "changes": changes_vectors(), "parts": parts_vectors(),
        "spans": spans_vectors(), "iou": iou_vectors(),
    }  # fmt: skip
    try:
        from tests.unit.core.schema_vectors import schema_vectors
    except ModuleNotFoundError:
        return found
    return {**found, "schema": schema_vectors()}


def as_text(value: dict[str, Any]) -> str:
    """Readable and stable: one case a line."""
    lines = ["{"]
    for index, (key, entry) in enumerate(value.items()):
        comma = "," if index < len(value) - 1 else ""
        if isinstance(entry, list):
            lines.append(f"{json.dumps(key)}: [")
            rows = [json.dumps(row, ensure_ascii=True) for row in entry]
            lines.extend(row + ("," if at < len(rows) - 1 else "") for at, row in enumerate(rows))
            lines.append("]" + comma)
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(entry, ensure_ascii=True)}{comma}")
    lines.append("}")
    return "\n".join(lines) + "\n"


def main() -> None:
    VECTORS.mkdir(parents=True, exist_ok=True)
    for name, value in all_vectors().items():
        (VECTORS / f"{name}.json").write_text(as_text(value), encoding="utf-8")


if __name__ == "__main__":
    main()
