# ruff: noqa: E501 - the cases are tables
"""Published limits and hostile input: an answer within bounded time, never a crash."""

from __future__ import annotations

import time
from typing import Any

import pytest

from annotator.core import canonical, changes, document, masks
from annotator.core.document import AssetInfo, empty
from annotator.core.errors import ConcordError, Invalid, TooLarge
from annotator.shapes import SHAPES

PICTURE = AssetInfo("a_1", "image", "image", width=20_000, height=20_000)


def code_of(call: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(ConcordError) as caught:
        call(*args, **more)
    return caught.value.code


def test_too_many_changes() -> None:
    change = {"op": "set", "path": ["unusable"], "before": None, "after": "x"}
    changes.parse_changes([change] * changes.MAX_CHANGES)
    with pytest.raises(TooLarge):
        changes.parse_changes([change] * (changes.MAX_CHANGES + 1))


def test_too_many_regions() -> None:
    with pytest.raises(TooLarge):
        document.parse({"regions": {f"r_{n}": {} for n in range(document.MAX_REGIONS + 1)}})


def test_a_polygon_of_many_points() -> None:
    """A traced outline of 100,000 points is checked; a million are refused by number, a tangle by work."""
    polygon = SHAPES.get("polygon")
    n = 100_000
    top = [[round(n_ * 0.35 + 10, 3), 100 + n_ % 7] for n_ in range(n // 2)]
    bottom = [[x, 12_000 + y % 5] for x, y in reversed(top)]
    began = time.process_time()
    kept, warnings = polygon.parse({"rings": [top + bottom]}, PICTURE, field="g", exact=True)
    assert len(kept["rings"][0]) == n and not warnings
    assert time.process_time() - began < 10
    many = {"rings": [[[1, 1]] * 1_000_000]}
    assert code_of(polygon.parse, many, PICTURE, field="g") == "too_many_points"
    tangle = [
        [round(n_ % 2 * 19_000 + n_ / 100, 3), round(n_ * 7919 % 19_900 + n_ / 1000, 3)]
        for n_ in range(20_000)
    ]
    assert code_of(polygon.parse, {"rings": [tangle]}, PICTURE, field="g") in (
        "polygon_too_complex",
        "polygon_self_crosses",
    )


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, '["' + "[" * 90 + '"]' + "x"]
)
def test_deep_nesting(text: str) -> None:
    assert code_of(canonical.strict_loads, text) in ("too_deep", "not_json")


def test_brackets_within_texts_are_no_nesting() -> None:
    assert canonical.strict_loads('["' + "[{" * 200 + '\\""]') == ["[{" * 200 + '"']


def test_texts_that_only_look_hostile() -> None:
    assert canonical.strict_loads('["\\\\ud83d \\\\u0000"]') == ["\\ud83d \\u0000"]
    assert canonical.strict_loads('["1e999 99999999999999999999"]') == ["1e999 99999999999999999999"]
    assert canonical.strict_loads(b"\xef\xbb\xbf[1]") == [1]
    assert code_of(canonical.strict_loads, b"[\xff]") == "not_utf8"
    assert code_of(canonical.strict_loads, "[" + "9" * 5000 + "]") == "number_not_finite"


def test_values_that_are_no_json() -> None:
    for value, code in [
        (float("nan"), "number_not_finite"), (float("inf"), "number_not_finite"), ("\ud83d", "lone_surrogate"),
        ({"\ud83d": 1}, "lone_surrogate"), (2**53 + 1, "number_not_exact"), ({1: 2, "😀": 1}, "key_not_text"),
        (object(), "not_json"), (b"x", "not_json"),
    ]:  # fmt: skip
        assert code_of(canonical.canonical, value) == code, value
    circle: list[Any] = []
    circle.append(circle)
    assert code_of(canonical.canonical, circle) == "too_deep"


@pytest.mark.parametrize(
    "rle",
    [
        {"size": [2, 2], "counts": [1, 2]}, {"size": [2, 2], "counts": [-1, 5]}, {"size": [2, 2], "counts": [2**70]},
        {"size": [2, 2], "counts": [1] * 10_000}, {"size": [2], "counts": [4]}, {"size": [2, 2], "counts": "1"},
        {"size": [2, -2], "counts": [4]}, {"size": [2, 2], "counts": "~~~~"}, {"size": [2, 2], "counts": None},
        {"size": [2, 2], "counts": [True, 3]}, {"size": [2, 2], "counts": "ooooooooooo"}, {"size": [2, 2], "counts": [1.0, 3]},
    ],
)  # fmt: skip
def test_run_lengths_that_lie(rle: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        masks.coco_rle_decode(rle)


def test_a_document_keeps_what_it_does_not_know() -> None:
    region = {
        "id": "r_" + "a" * 16, "shape": "cuboid", "label": "x", "geometry": {"any": [1, {"deep": None}]},
        "attributes": {}, "asset": None, "origin": {"kind": "drawn", "tool": "later"}, "newer": {"__proto__": 1},
    }  # fmt: skip
    given = {
        "format": 1,
        "regions": {region["id"]: region},
        "answers": {},
        "unusable": None,
        "relations": [1, None],
    }
    assert document.parse(given) == given
    assert document.parse({}) == empty()
    assert code_of(document.parse, {"format": 2}) == "format_too_new"
    assert code_of(document.parse, {"regions": {"r_" + "b" * 16: region}}) == "region_id_differs"
    assert code_of(document.parse, {"answers": {"a": None}}) == "null_value"
    assert code_of(document.parse, []) == "not_an_object"
