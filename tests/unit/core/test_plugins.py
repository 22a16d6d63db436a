# ruff: noqa: E501 - the cases are tables
"""The registry finds plug-in files, and every shape keeps the shapes' contract."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from annotator.core.document import AssetInfo
from annotator.core.errors import Invalid
from annotator.core.registry import Registry
from annotator.shapes import SHAPES, ShapeRegistry

ASSETS = {
    "a_1": AssetInfo("a_1", "image", "image", width=640, height=480),
    "a_2": AssetInfo("a_2", "text", "text", text="hello"),
}
GOOD = {
    "box": {"x0": 0, "y0": 1, "x1": 2, "y1": 3.5},
    "polygon": {"rings": [[[0, 0], [9, 0], [9, 9]]]},
    "mask": {"tiles": {"0,0": "0" * 64}},
    "span": {"start": 1, "end": 3, "quote": "el"},
}


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "toy_plugins"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plus.py").write_text('ID = "plus.v1"\ndef value(a, b):\n    return a + b\n')
    (package / "plus_again.py").write_text('ID = "plus.v10"\ndef value(a, b):\n    return b + a\n')
    (package / "plus_old.py").write_text('ID = "plus.v9"\n')
    (package / "_helper.py").write_text("raise RuntimeError('a helper is not scanned')\n")
    (package / "nothing.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return "toy_plugins"


def test_a_file_dropped_in_is_found(toys: str) -> None:
    found: Registry[object] = Registry(toys)
    assert found.ids() == ["plus.v1", "plus.v10", "plus.v9"]
    assert found.names() == ["plus"]
    assert found.get("plus.v1").value(1, 2) == 3  # type: ignore[attr-defined]
    assert found.get("plus").ID == "plus.v10"  # type: ignore[attr-defined]
    assert "plus" in found and "minus" not in found and found.find("minus.v1") is None
    with pytest.raises(Invalid) as caught:
        found.get("minus.v1")
    assert caught.value.code == "unknown_plugin" and "plus.v10" in (caught.value.cure or "")


@pytest.mark.parametrize(
    "text", ['ID = "plus"', 'ID = "Plus.v1"', "ID = 3", 'ID = "plus.v0"', 'ID = "plus.v1"']
)
def test_a_bad_id_is_named(toys: str, text: str, tmp_path: Path) -> None:
    (tmp_path / toys / "bad.py").write_text(text)
    with pytest.raises(RuntimeError, match="plus|versioned"):
        Registry[object](toys).ids()


def test_a_toy_shape_is_found_by_its_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "toy_shapes"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "point.py").write_text(
        'ID = "point.v1"\nASSET_KIND = "image"\nCHANGE_KINDS = ("add",)\n'
        "def parse(geometry, asset, *, field, exact=False):\n    return geometry, []\n"
        "def bounds(geometry, part_bytes=None):\n    return geometry['x'], geometry['y'], geometry['x'], geometry['y']\n"
        "def rings(geometry):\n    return None\ndef tiles(geometry):\n    return None\n"
        "def interval(geometry):\n    return None\ndef is_empty(geometry):\n    return False\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    toys = ShapeRegistry("toy_shapes")
    assert toys.get("point").bounds({"x": 1, "y": 2}) == (1, 2, 1, 2)
    sys.modules.pop("toy_shapes.point", None)
    sys.modules.pop("toy_shapes", None)


def test_every_shape_has_a_case_here() -> None:
    assert SHAPES.names() == sorted(GOOD)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_shape_contract(name: str) -> None:
    shape = SHAPES.get(name)
    asset = next(one for one in ASSETS.values() if one.kind == shape.ASSET_KIND)
    geometry = {**GOOD[name], "newer": [1, None]}
    kept, warnings = shape.parse(geometry, asset, field="g", exact=True)
    assert kept == geometry and warnings == [], "what is right is stored as it came, unknown keys too"
    assert shape.parse(kept, asset, field="g", exact=True) == (kept, [])
    rings, tiles, interval = shape.rings(kept), shape.tiles(kept), shape.interval(kept)
    assert sum(one is not None for one in (rings, tiles, interval)) == 1, "one projection is the richest"
    if rings is not None:
        bounds = shape.bounds(kept)
        assert bounds is not None and bounds[0] < bounds[2] and bounds[1] < bounds[3]
    assert not shape.is_empty(kept)
    assert {"add", "remove", "replace", "set"} <= set(shape.CHANGE_KINDS)
    other = next(one for one in ASSETS.values() if one.kind != shape.ASSET_KIND)
    for wrong in (None, [], "x", 4, {}):
        with pytest.raises(Invalid) as caught:
            shape.parse(wrong, asset, field="g")
        assert (caught.value.field or "").startswith("g")
    for without in (other, None):
        with pytest.raises(Invalid):
            shape.parse(geometry, without, field="g")


def test_what_is_altered_on_the_way_in_is_said() -> None:
    picture = ASSETS["a_1"]
    box, warnings = SHAPES.get("box").parse(
        {"x0": -0.4, "y0": 1.23456, "x1": 640.5, "y1": 3}, picture, field="g"
    )
    assert box == {"x0": 0, "y0": 1.235, "x1": 640, "y1": 3}
    assert [one["code"] for one in warnings] == ["moved_to_edge", "coordinate_rounded"]
    polygon, warnings = SHAPES.get("polygon").parse(
        {"rings": [[[0, 0], [0, 0], [9, 0], [9, 9], [0, 0]]]}, picture, field="g"
    )
    assert polygon == {"rings": [[[0, 0], [9, 0], [9, 9]]]}
    assert [one["code"] for one in warnings] == ["point_repeated", "ring_closed"]
    span, warnings = SHAPES.get("span").parse({"start": 0, "end": 2}, ASSETS["a_2"], field="g")
    assert span["quote"] == "he" and [one["code"] for one in warnings] == ["quote_added"]


def test_overlap_of_different_shapes() -> None:
    import numpy as np

    from annotator.core import masks

    pixels = np.zeros((480, 640), bool)
    pixels[100:120, 300:320] = True
    tiles, parts = masks.mask_to_parts(pixels)

    def region(shape: str, geometry: dict[str, object], asset: str = "a_1") -> dict[str, object]:
        return {"shape": shape, "geometry": geometry, "asset": asset}

    mask = region("mask", {"tiles": tiles})
    inside = region("polygon", {"rings": [[[290, 90], [310, 90], [310, 110]]]})
    corner = region("polygon", {"rings": [[[290, 90], [330, 90], [290, 110]]]})
    outside = region("box", {"x0": 320, "y0": 100, "x1": 330, "y1": 110})
    for other, expected in [(inside, True), (corner, True), (outside, False)]:
        assert SHAPES.overlap(mask, other, ASSETS, parts.__getitem__) is expected
        assert SHAPES.overlap(other, mask, ASSETS, parts.__getitem__) is expected
    one, two = region("span", {"start": 0, "end": 3}, "a_2"), region("span", {"start": 3, "end": 4}, "a_2")
    assert not SHAPES.overlap(one, two, ASSETS, None)
    assert SHAPES.overlap(one, one, ASSETS, None)
    assert not SHAPES.overlap(mask, inside, ASSETS, None), "without parts it cannot be known"
