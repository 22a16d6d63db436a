# ruff: noqa: E501 - tables
"""Formats: what they write is what was given, and what they cannot hold is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotator.core import masks
from annotator.core.canonical import canonical_text, digest, strict_loads
from annotator.core.document import empty
from annotator.formats import FORMATS, Entry, Header, Output
from annotator.shapes import parse_schema
from tests.unit.core.make_vectors import boxes_mask
from tests.unit.core.schema_vectors import BASE, R1, R2, R3, region

R4 = "r_" + "d" * 16
WIDTH, HEIGHT = 640, 480
RINGS = [[[100, 100], [300.5, 110], [250, 300.25]], [[180, 140], [220, 140], [200, 180]]]


def make_entry(key: str, regions: list[dict[str, Any]], **more: Any) -> Entry:
    document = empty() | more
    document["regions"] = {one["id"]: one for one in regions}
    raw = canonical_text(document).encode()
    assets = [
        {"id": "a_1", "role": "image", "kind": "image", "name": f"{key}.png", "sha256": "1" * 64, "width": WIDTH,
         "height": HEIGHT, "media_type": "image/png", "size": 5},
    ]  # fmt: skip
    return Entry(
        key=key, item={"id": "i_1"}, assets=assets, document=document, document_bytes=raw,
        accepted={"digest": digest(document)}, schema={"number": 1}, provenance={"by": ["w_1"]}, prelabels={},
    )  # fmt: skip


def write(folder: Path, format_id: str, given: list[Entry], parts: dict[str, bytes]) -> Output:
    header = Header("Coins", 3, 77, "e" * 64, "2026-01-02T03:04:05.000000Z", parse_schema(BASE))
    output = Output(folder)
    writer = FORMATS.get(format_id).writer(header, output, parts.__getitem__)
    for one in given:
        writer.add(one)
    writer.close()
    output.close()
    return output


def lost(folder: Path) -> list[dict[str, Any]]:
    path = folder / "losses.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_lines_hold_everything_and_are_canonical(tmp_path: Path) -> None:
    strange = region(R1, newer={"__proto__": [None, "😀", 1e21]}, z=2)
    given = [make_entry("a", [strange], answers={"tone": "good"}, later={"x": 1}), make_entry("b 中", [])]
    output = write(tmp_path, "jsonl", given, {})
    lines = (tmp_path / "items.jsonl").read_bytes().splitlines()
    assert len(lines) == 2
    for line, one in zip(lines, given, strict=True):
        found = strict_loads(line)
        assert canonical_text(found).encode() == line
        assert found["document"] == one.document and digest(found["document"]) == found["accepted"]["digest"]
    assert output.losses == {} and list(output.files) == ["items.jsonl"]
    assert output.files["items.jsonl"].size == sum(len(line) + 1 for line in lines)


# pycocotools 2.0.11 asks numpy 2 for an array in numpy 1's way
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_is_read_by_pycocotools(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO

    pixels = boxes_mask(HEIGHT, WIDTH, [[250, 200, 300, 300], [500, 0, 640, 20], [0, 470, 30, 480]])
    tiles, parts = masks.mask_to_parts(pixels)
    given = [
        make_entry("a", [
            region(R1, geometry={"x0": 1.5, "y0": 2, "x1": 30.125, "y1": 40}),
            region(R2, shape="polygon", label="brick", geometry={"rings": RINGS[:1]}),
            region(R3, shape="polygon", geometry={"rings": RINGS}),
        ]),
        make_entry("b", []),
        make_entry("c", [region(R1, shape="mask", label="brick", geometry={"tiles": tiles})]),
    ]  # fmt: skip
    output = write(tmp_path, "coco", given, parts)
    assert output.losses == {}
    coco = COCO(str(tmp_path / "coco.json"))
    capsys.readouterr()
    assert sorted(coco.imgs) == [1, 2, 3] and [one["name"] for one in coco.loadCats([1, 2, 3, 4])] == [
        "coin", "brick", "person", "old",
    ]  # fmt: skip
    assert coco.loadCats([2])[0]["supercategory"] == "coin"
    by_region = {(one["image_id"], one["region"]): one for one in coco.anns.values()}
    assert sorted(one["id"] for one in coco.anns.values()) == [1, 2, 3, 4]
    box = by_region[1, R1]
    assert box["bbox"] == [1.5, 2, 28.625, 38] and box["area"] == 1087.75 and box["segmentation"] == []
    outline = by_region[1, R2]
    assert outline["segmentation"] == [[100, 100, 300.5, 110, 250, 300.25]]
    assert outline["bbox"] == [100, 100, 200.5, 200.25] and outline["category_id"] == 2
    holed = by_region[1, R3]
    expected = masks.rasterise(RINGS, x0_px=0, y0_px=0, width_px=WIDTH, height_px=HEIGHT)
    assert (coco.annToMask(holed).astype(bool) == expected).all() and holed["area"] == int(expected.sum())
    mask = by_region[3, R1]
    assert (coco.annToMask(mask).astype(bool) == pixels).all()
    assert mask["bbox"] == [0, 0, 640, 480] and mask["area"] == int(pixels.sum())
    assert mask["segmentation"] == masks.coco_rle_encode(pixels)


def test_what_coco_cannot_hold_is_one_line_each(tmp_path: Path) -> None:
    span = region(
        R2, shape="span", label="person", asset="a_2", geometry={"start": 0, "end": 1, "quote": "x"}
    )
    given = make_entry(
        "k", [region(R1, z=3), span, region(R3, shape="cuboid"), region(R4, label="gone")],
        answers={"tone": "good"}, later=1,
    )  # fmt: skip
    text = {"id": "a_2", "role": "text", "kind": "text", "name": "t", "sha256": "2" * 64, "text": "x"}
    given = Entry(**{**vars(given), "assets": [*given.assets, text]})
    output = write(tmp_path, "coco", [given], {})
    assert [(one["code"], one.get("region"), one["key"]) for one in lost(tmp_path)] == [
        ("asset_not_held", None, "k"), ("answer_not_held", None, "k"), ("key_not_held", None, "k"),
        ("key_not_held", R1, "k"), ("shape_not_held", R2, "k"), ("shape_unknown", R3, "k"),
    ]  # fmt: skip
    assert output.losses == {
        "coco.v1": {
            "asset_not_held": 1,
            "answer_not_held": 1,
            "key_not_held": 2,
            "shape_not_held": 1,
            "shape_unknown": 1,
        }
    }
    found = json.loads((tmp_path / "coco.json").read_text())
    assert [one["region"] for one in found["annotations"]] == [R1, R4]
    assert found["categories"][-1] == {"id": 5, "name": "gone", "supercategory": ""}, (
        "an older label keeps its name"
    )


def test_a_toy_shape_goes_out_through_its_outline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    from annotator.formats import coco
    from annotator.shapes import SHAPES

    toy = types.ModuleType("toy")
    toy.ASSET_KIND = "image"  # type: ignore[attr-defined]
    toy.tiles = lambda geometry: None  # type: ignore[attr-defined]
    toy.rings = lambda geometry: [[[0, 0], [geometry["r"], 0], [0, geometry["r"]]]]  # type: ignore[attr-defined]
    find = SHAPES.find
    monkeypatch.setattr(coco.SHAPES, "find", lambda name: toy if name == "wedge" else find(name))
    write(tmp_path, "coco", [make_entry("k", [region(R1, shape="wedge", geometry={"r": 10})])], {})
    found = json.loads((tmp_path / "coco.json").read_text())["annotations"][0]
    assert found["shape"] == "wedge" and found["area"] == 50 and found["bbox"] == [0, 0, 10, 10]
    assert [one["name"] for one in lost(tmp_path)] == ["geometry.r"]


@pytest.mark.parametrize("seed", range(40))
def test_run_lengths_of_a_crop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = int(rng.integers(1, 30)), int(rng.integers(1, 30))
    x0, y0 = int(rng.integers(0, width)), int(rng.integers(0, height))
    x1, y1 = int(rng.integers(x0 + 1, width + 1)), int(rng.integers(y0 + 1, height + 1))
    crop = rng.random((y1 - y0, x1 - x0)) < rng.choice([0.0, 0.2, 0.9, 1.0])
    whole = np.zeros((height, width), bool)
    whole[y0:y1, x0:x1] = crop
    found = masks.coco_counts_of_crop(crop, x0_px=x0, y0_px=y0, width_px=width, height_px=height)
    assert found == masks.coco_rle_counts(whole).tolist()


def test_a_name_is_used_once(tmp_path: Path) -> None:
    output = Output(tmp_path)
    output.file("a")
    for name in ("a", ".b", "../c"):
        with pytest.raises(ValueError):
            output.file(name)
    output.close()


def test_formats_are_found() -> None:
    assert FORMATS.ids() == ["coco.v1", "jsonl.v1"]
