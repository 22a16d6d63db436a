"""The shared vectors: the files are what the script writes, and the core answers as they say."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest

from annotator.core import canonical, changes, geometry, masks, spans
from annotator.core.errors import ConcordError
from annotator.shapes import check_document, parse_schema
from tests.unit.core.make_vectors import VECTORS, all_vectors, as_text, boxes_mask
from tests.unit.core.schema_vectors import infos


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def test_the_files_are_what_the_script_writes() -> None:
    for name, value in all_vectors().items():
        assert (VECTORS / f"{name}.json").read_text(encoding="utf-8") == as_text(value), name


def test_canonical() -> None:
    vectors = load("canonical")
    for entry in vectors["numbers"]:
        (value,) = struct.unpack(">d", bytes.fromhex(entry["bits"]))
        assert canonical.es6_number(value) == entry["text"]
        assert float(entry["text"]) == value
    for entry in vectors["cases"]:
        value = canonical.strict_loads(entry["json"])
        assert canonical.canonical(value).decode("utf-8") == entry["canonical"], entry["name"]
        assert canonical.digest(value) == entry["sha256"], entry["name"]
    for entry in vectors["refused"]:
        with pytest.raises(ConcordError) as caught:
            canonical.strict_loads(entry["json"])
        assert caught.value.code == entry["code"], entry["name"]


def test_changes() -> None:
    vectors = load("changes")
    for entry in vectors["cases"]:
        before = canonical.digest(entry["document"])
        result = changes.apply(entry["document"], entry["changes"])
        assert canonical.digest(result) == entry["digest"], entry["name"]
        assert canonical.same(result, entry["result"]), entry["name"]
        assert canonical.digest(entry["document"]) == before, "the given document is not altered"
        assert canonical.digest(changes.apply(result, entry["inverse"])) == before, entry["name"]
        touched = changes.touched(entry["changes"])
        assert sorted(touched.regions) == entry["touched"]["regions"]
        assert sorted(touched.parts) == entry["touched"]["parts"]
    for entry in vectors["conflicts"]:
        with pytest.raises(changes.ChangeConflict) as caught:
            changes.apply(entry["document"], entry["changes"])
        assert (caught.value.index, caught.value.code) == (entry["index"], entry["code"]), entry["name"]
    for entry in vectors["malformed"]:
        with pytest.raises(ConcordError) as refused:
            changes.parse_changes(entry["changes"])
        assert refused.value.code == entry["code"], entry["name"]


def test_parts() -> None:
    vectors = load("parts")
    for entry in vectors["parts"]:
        if "runs" in entry:
            tile = masks.pixels_of(np.asarray(entry["runs"])).reshape(256, 256)
        else:
            yy, xx = np.mgrid[0:256, 0:256]
            tile = (xx + yy) % 2 == (0 if entry["pattern"] == "chess board" else 1)
        raw = masks.encode_part(tile)
        assert masks.part_digest(raw) == entry["digest"], entry["name"]
        assert entry.get("hex", raw.hex()) == raw.hex()
        assert (masks.decode_part(raw) == tile).all()
        assert masks.part_area_px(raw) == entry["area_px"]
    for entry in vectors["refused"]:
        with pytest.raises(ConcordError) as caught:
            masks.part_runs(bytes.fromhex(entry["hex"]))
        assert caught.value.code == entry["code"], entry["name"]
    for entry in vectors["coco"]:
        pixels = boxes_mask(entry["height"], entry["width"], entry["boxes"])
        rle = masks.coco_rle_encode(pixels)
        assert rle == {"size": [entry["height"], entry["width"]], "counts": entry["counts"]}
        assert (masks.coco_rle_decode(rle) == pixels).all()


def test_spans() -> None:
    vectors = load("spans")
    for entry in vectors["texts"]:
        text = entry["text"]
        assert [len(text[:at].encode("utf-16-le")) // 2 for at in range(len(text) + 1)] == entry["utf16"]
        for codepoint, utf16 in enumerate(entry["utf16"]):
            assert spans.codepoint_to_utf16(text, codepoint) == utf16
            assert spans.utf16_to_codepoint(text, utf16) == codepoint
    for entry in vectors["iou"]:
        a, b = set(range(*entry["a"])), set(range(*entry["b"]))
        assert math.isclose(spans.span_iou(tuple(entry["a"]), tuple(entry["b"])), len(a & b) / len(a | b))


def test_boxes_and_outlines() -> None:
    vectors = load("iou")
    for entry in vectors["boxes"]:
        assert math.isclose(float(geometry.box_ious([entry["a"]], [entry["b"]])[0, 0]), entry["iou"])
    for entry in vectors["crossing"]:
        found = geometry.rings_cross(entry["rings"])
        assert (list(found) if found else None) == entry["crosses"], entry["name"]
    for entry in vectors["points"]:
        assert geometry.point_in_rings(entry["x"], entry["y"], entry["rings"]) is entry["inside"]


def test_schema() -> None:
    vectors = load("schema")
    schema = parse_schema(vectors["schema"])
    assert schema.digest == vectors["digest"]
    for entry in vectors["broken"]:
        with pytest.raises(ConcordError) as caught:
            parse_schema(entry["document"])
        assert (caught.value.code, caught.value.field) == (entry["code"], entry["field"]), entry["name"]
    for entry in vectors["documents"]:
        for mode in ("save", "submit"):
            problems = check_document(entry["document"], schema, infos(), mode=mode)
            assert [{"code": one.code, "field": one.field} for one in problems] == entry[mode], entry["name"]
