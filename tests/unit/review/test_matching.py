"""Matching against brute force, symmetric in the two people, blind to origins."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.masks import mask_to_parts
from review.core.extents import likeness
from review.core.matching import IOU_STEPS, match
from tests.unit.review.make import box, document, polygon, region, rid, span


def regions(*made: dict[str, Any]) -> dict[str, Any]:
    return document(*made)["regions"]


def test_iou_by_hand() -> None:
    # 10 px boxes one pixel apart both ways: 81 / (200 - 81) = 0.6807 (acceptance.md S5 says 0.68)
    assert likeness(box("a", 0, 0, 10, 10), box("b", 1, 1, 11, 11), edge_px=2).iou == pytest.approx(81 / 119)
    # 16 px: 225 / 287 = 0.784; 32 px: 961 / 1087 = 0.884; 40 px two apart: 1444 / 1756 = 0.822
    for size, off, shown in ((16, 1, 0.78), (32, 1, 0.88), (40, 2, 0.82)):
        got = likeness(box("a", 0, 0, size, size), box("b", off, off, size + off, size + off), edge_px=2)
        assert round(got.iou, 2) == shown and got.close
    assert not likeness(box("a", 0, 0, 40, 40), box("b", 2.01, 0, 40, 40), edge_px=2).close
    assert likeness(span("a", 0, 4), span("b", 2, 6), edge_px=2).iou == pytest.approx(2 / 6)


def test_polygon_with_hole_box_and_self_crossing() -> None:
    ring = [[0, 0], [10, 0], [10, 10], [0, 10]]
    hole = [[2, 2], [8, 2], [8, 8], [2, 8]]
    got = likeness(polygon("a", ring), polygon("b", ring, hole), edge_px=2)
    assert got.iou == pytest.approx(0.64)
    assert not got.close  # a hole that only one has
    assert likeness(box("a", 0, 0, 10, 10), polygon("b", ring), edge_px=2).iou == pytest.approx(1.0)
    crossed = polygon("c", [[0, 0], [10, 10], [10, 0], [0, 10]])
    assert likeness(crossed, polygon("b", ring), edge_px=2).iou == pytest.approx(0.5)


def test_masks_by_tiles_and_with_other_shapes() -> None:
    stored: dict[str, bytes] = {}

    def made(name: str, y0: int, y1: int, x0: int, x1: int, hole: bool = False) -> dict[str, Any]:
        pixels = np.zeros((600, 600), dtype=bool)
        pixels[y0:y1, x0:x1] = True
        if hole:
            pixels[y0 + 20 : y1 - 20, x0 + 20 : x1 - 20] = False
        tiles, parts = mask_to_parts(pixels)
        stored.update(parts)
        return region(name, "mask", {"tiles": tiles})

    parts = stored.__getitem__
    a, b = made("a", 200, 300, 200, 300), made("b", 201, 301, 200, 300)
    got = likeness(a, b, edge_px=2, parts=parts)
    assert got.iou == pytest.approx(99 / 101) and got.close
    assert not likeness(a, made("c", 203, 303, 200, 300), edge_px=2, parts=parts).close
    assert not likeness(a, made("d", 200, 300, 200, 300, hole=True), edge_px=2, parts=parts).close
    assert likeness(a, box("e", 200, 200, 300, 300), edge_px=2, parts=parts).iou == 1.0
    assert likeness(a, a, edge_px=2, parts=parts).close
    assert likeness(made("f", 0, 0, 0, 0), a, edge_px=2, parts=parts).iou == 0
    with pytest.raises(KeyError):
        likeness(a, b, edge_px=2)


def test_other_asset_frame_and_kind_never_meet() -> None:
    a = box("a", 0, 0, 10, 10)
    for other in (box("b", 0, 0, 10, 10, asset="a_2"), box("b", 0, 0, 10, 10, frame=3), span("b", 0, 10)):
        found = match(regions(a), regions(other), match_iou=0.5, edge_px=2)
        assert not found.pairs and found.only_a == (rid("a"),) and found.only_b == (rid("b"),)


def test_total_is_maximised_not_the_best_pair_first() -> None:
    # a1 meets both, a2 only b1: greedy would take a1-b1 (the best) and leave a2 alone
    a1, a2 = box("a1", 0, 0, 10, 10), box("a2", 0, 0, 10, 6)
    b1, b2 = box("b1", 0, 0, 10, 9), box("b2", 0, 2, 10, 10)
    found = match(regions(a1, a2), regions(b1, b2), match_iou=0.5, edge_px=0)
    assert {(pair.a, pair.b) for pair in found.pairs} == {(rid("a1"), rid("b2")), (rid("a2"), rid("b1"))}


def test_equal_extents_go_by_label() -> None:
    a = regions(box("p", 0, 0, 9, 9, "leak"), box("q", 0, 0, 9, 9, "coin"))
    b = regions(box("r", 0, 0, 9, 9, "coin"), box("s", 0, 0, 9, 9, "leak"))
    found = match(a, b, match_iou=0.5, edge_px=2)
    assert all(a[pair.a]["label"] == b[pair.b]["label"] for pair in found.pairs)


def test_tiny_boxes_within_the_edges_are_paired() -> None:
    # 4 px boxes 2 px apart both ways: IoU 4/28, below any threshold, yet every edge within 2 px
    found = match(regions(box("a", 0, 0, 4, 4)), regions(box("b", 2, 2, 6, 6)), match_iou=0.5, edge_px=2)
    assert len(found.pairs) == 1 and found.pairs[0].close


def test_nothing_on_a_side() -> None:
    found = match({}, regions(box("b", 0, 0, 4, 4)), match_iou=0.5, edge_px=2)
    assert (found.pairs, found.only_a, found.only_b) == ((), (), (rid("b"),))


number = st.integers(0, 12)
boxes = st.lists(
    st.tuples(number, number, st.integers(1, 8), st.integers(1, 8), st.sampled_from("xyz")), max_size=5
)


def scene(rows: list[tuple[int, int, int, int, str]], side: str) -> dict[str, Any]:
    return regions(*[box(f"{side}{i}", x, y, x + w, y + h, s) for i, (x, y, w, h, s) in enumerate(rows)])


@settings(max_examples=150, deadline=None)
@given(boxes, boxes)
def test_against_brute_force_and_swapped(one: list, other: list) -> None:
    a, b = scene(one, "a"), scene(other, "b")
    found = match(a, b, match_iou=0.3, edge_px=0)
    assert match(b, a, match_iou=0.3, edge_px=0).swapped() == found
    steps = sum(round(pair.iou * IOU_STEPS) for pair in found.pairs)
    small, large, flip = (list(a), list(b), False) if len(a) <= len(b) else (list(b), list(a), True)
    best = 0
    for order in itertools.permutations(large, len(small)):
        total = 0
        for p, q in zip(small, order, strict=True):
            x, y = (a[q], b[p]) if flip else (a[p], b[q])
            iou = likeness(x, y, edge_px=0).iou
            total += round(iou * IOU_STEPS) if iou >= 0.3 else 0
        best = max(best, total)
    assert steps == best
    assert len({pair.a for pair in found.pairs}) == len(found.pairs) == len({pair.b for pair in found.pairs})


def test_origin_and_order_are_never_read() -> None:
    generator = random.Random(4)
    rows = [(generator.randrange(50), generator.randrange(50), 9, 9, "x") for _ in range(25)]
    a, b = scene(rows, "a"), scene([(x + 1, y, w, h, s) for x, y, w, h, s in rows], "b")
    plain = match(a, b, match_iou=0.5, edge_px=2)
    marked = {
        name: {**r, "origin": {"kind": "kept", "prelabel": "pl_1", "region": "same"}} for name, r in a.items()
    }
    turned = dict(reversed(list(b.items())))
    assert match(marked, turned, match_iou=0.5, edge_px=2) == plain


def test_large_components_agree_with_the_exact_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    from review.core import matching

    generator = random.Random(8)
    rows = [(generator.randrange(30), generator.randrange(30), 12, 12, "x") for _ in range(30)]
    a = scene(rows, "a")
    b = scene(
        [(x + generator.randrange(3), y + generator.randrange(3), w, h, s) for x, y, w, h, s in rows], "b"
    )
    exact = match(a, b, match_iou=0.2, edge_px=0)
    monkeypatch.setattr(matching, "EXACT_UP_TO", 1)
    fast = match(a, b, match_iou=0.2, edge_px=0)
    assert sum(round(p.iou * IOU_STEPS) for p in fast.pairs) == sum(
        round(p.iou * IOU_STEPS) for p in exact.pairs
    )
