"""Properties: what holds for any document, any edit, any pixels."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core import canonical, changes, geometry, masks, spans
from annotator.core.errors import Invalid
from tests.unit.core.sequences import sequence

# Seeds are explicit and time is the machine's: the same examples each run, no deadline on a busy one.
settings.register_profile("concord", deadline=None, derandomize=True)
settings.load_profile("concord")

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False), st.just(-0.0)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_is_a_fixed_point(value: Any) -> None:
    raw = canonical.canonical(value)
    again = canonical.strict_loads(raw)
    assert canonical.canonical(again) == raw
    assert canonical.same(again, value)


@given(VALUES)
def test_both_writers_agree(value: Any) -> None:
    out: list[str] = []
    canonical._write(value, out, 0)
    assert "".join(out) == canonical.canonical_text(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(value: float) -> None:
    assert float(canonical.es6_number(value)) == value
    assert canonical.strict_loads(canonical.es6_number(value)) == value
    # a column may have been read by the plain reader, which makes an integer of it
    assert canonical.canonical_text(json.loads(canonical.es6_number(value))) == canonical.es6_number(value)
    # PostgreSQL writes numbers without an exponent
    plain = format(Decimal(repr(value)), "f")
    assert canonical.canonical_text(json.loads(plain)) == canonical.es6_number(value)


@given(st.binary(max_size=60))
def test_strict_loads_answers_or_refuses(raw: bytes) -> None:
    try:
        value = canonical.strict_loads(raw)
    except Invalid:
        return
    canonical.canonical(value)


@pytest.mark.parametrize("start", range(0, 2000, 500))
def test_edits_and_their_inverses(start: int) -> None:
    """Seeded sessions: applied at once or save by save is the same, and undoing all gives the start."""
    for seed in range(start, start + 150):
        line = sequence(seed)
        document = line["document"]
        for steps in line["changes"]:
            changes.parse_changes(steps)
            after = changes.apply(document, steps)
            assert canonical.digest(changes.apply(after, changes.invert(steps))) == canonical.digest(document)
            assert changes.invert(changes.invert(steps)) == steps
            document = after
        assert canonical.digest(changes.rebuild(line["document"], line["changes"])) == canonical.digest(
            document
        )


def test_a_session_is_the_same_for_the_same_seed() -> None:
    assert canonical.digest(sequence(41)) == canonical.digest(sequence(41))
    assert canonical.digest(sequence(41)) != canonical.digest(sequence(42))


PIXELS = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))


def some_mask(height: int, width: int, seed: int, share: float) -> masks.Mask:
    return np.random.default_rng(seed).random((height, width)) < share


@given(PIXELS)
def test_run_lengths_come_back(shape: tuple[int, int, int, float]) -> None:
    from pycocotools import mask as reference

    pixels = some_mask(*shape)
    height, width = pixels.shape
    rle = masks.coco_rle_encode(pixels)
    theirs = reference.encode(np.asfortranarray(pixels.astype(np.uint8)))
    assert rle["counts"].encode("ascii") == theirs["counts"]
    assert (masks.coco_rle_decode(rle) == pixels).all()
    plain = {"size": rle["size"], "counts": masks.coco_rle_counts(pixels).tolist()}
    assert (masks.coco_rle_decode(plain) == pixels).all()
    crop = masks.crop_rle_encode(pixels)
    if crop is None:
        assert not pixels.any()
    else:
        assert (masks.crop_rle_decode(crop, width_px=width, height_px=height) == pixels).all()


@settings(max_examples=25)
@given(
    st.integers(1, 600),
    st.integers(1, 600),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.001, 0.5, 1.0]),
)
def test_tiles_come_back(height: int, width: int, seed: int, share: float) -> None:
    pixels = some_mask(height, width, seed, share)
    tiles, parts = masks.mask_to_parts(pixels)
    back = masks.parts_to_mask(tiles, parts.__getitem__, width_px=width, height_px=height)
    assert (back == pixels).all()
    assert masks.tiles_area_px(tiles, parts.__getitem__) == int(pixels.sum())
    assert masks.EMPTY_PART_DIGEST not in tiles.values()
    other_tiles, other_parts = masks.mask_to_parts(some_mask(height, width, seed + 1, share))
    known = {**parts, **other_parts}
    iou = masks.mask_iou(tiles, other_tiles, known.__getitem__)
    other = some_mask(height, width, seed + 1, share)
    union = int((pixels | other).sum())
    assert iou is None if union == 0 else iou == int((pixels & other).sum()) / union


@given(st.binary(min_size=1, max_size=40))
def test_only_canonical_parts_are_read(raw: bytes) -> None:
    try:
        tile = masks.decode_part(raw)
    except Invalid:
        return
    assert masks.encode_part(tile) == raw


COORDINATES = st.integers(0, 40_000).map(lambda value: value / 1000)


@settings(max_examples=60)
@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9, unique=True))
def test_pixels_of_a_ring(points: list[tuple[float, float]]) -> None:
    ring = [[x, y] for x, y in points]
    pixels = masks.rasterise([ring], x0_px=0, y0_px=0, width_px=40, height_px=40)
    rows, columns = [3, 17, 39], [0, 8, 21, 39]
    for row in rows:
        for column in columns:
            inside = geometry.point_in_rings(column + 0.5, row + 0.5, [ring])
            # the two count a centre that lies on an edge alike, up to one rounding of the crossing
            assert pixels[row, column] == inside or _near_edge(column + 0.5, row + 0.5, ring)
    whole = masks.rasterise_to_tiles([ring], width_px=40, height_px=40)
    assert sum(int(tile.sum()) for tile in whole.values()) == int(pixels.sum())


def _near_edge(x: float, y: float, ring: list[list[float]]) -> bool:
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if min(ay, by) <= y < max(ay, by) and abs(ax + (y - ay) * (bx - ax) / (by - ay) - x) < 1e-9:
            return True
    return False


@settings(max_examples=60)
@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9, unique=True))
def test_crossing_agrees_with_shapely(points: list[tuple[float, float]]) -> None:
    from shapely.geometry import LinearRing

    ring = [[x, y] for x, y in points]
    if geometry.all_on_a_line(ring):
        return
    # shapely rounds where this is exact, so it is asked in whole thousandths
    theirs = LinearRing([(round(x * 1000), round(y * 1000)) for x, y in points]).is_simple
    assert (geometry.rings_cross([ring]) is None) == theirs


BOX = st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)


@given(BOX, BOX)
def test_iou_of_boxes_by_counting_pixels(one: list[int], other: list[int]) -> None:
    a, b = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    a[one[1] : one[3], one[0] : one[2]] = True
    b[other[1] : other[3], other[0] : other[2]] = True
    expected = np.count_nonzero(a & b) / np.count_nonzero(a | b)
    assert float(geometry.box_ious([one], [other])[0, 0]) == pytest.approx(expected)


@given(TEXTS, st.integers(0, 30))
def test_offsets_come_back(text: str, offset: int) -> None:
    if offset > len(text):
        with pytest.raises(Invalid):
            spans.codepoint_to_utf16(text, offset)
        return
    utf16 = spans.codepoint_to_utf16(text, offset)
    assert text.encode("utf-16-le")[: 2 * utf16].decode("utf-16-le") == text[:offset]
    assert spans.utf16_to_codepoint(text, utf16) == offset
