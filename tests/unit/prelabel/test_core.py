"""Cleaning, measures, model files, splitting, outlines: the pure core of the prelabel wing."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.errors import Invalid
from prelabel.core import artefact, measures
from prelabel.core.cleaning import clean
from prelabel.core.outline import raster_to_rings, rings_to_raster
from prelabel.core.samples import Example, Proposal, Sample, Target
from prelabel.core.splitting import split

SCHEMA = {
    "controls": [
        {"name": "o", "kind": "regions", "shapes": ["box", "polygon", "mask"], "labels": "all"},
        {"name": "c", "kind": "choice", "options": [{"name": "yes"}]},
    ],
    "labels": [{"name": "coin"}, {"name": "old", "retired": True}],
}


def box(x0: float, y0: float, x1: float, y1: float, score: object = 0.5, label: str = "coin") -> dict:
    return {
        "shape": "box",
        "label": label,
        "geometry": {"x0": x0, "y0": y0, "x1": x1, "y1": y1},
        "score": score,
    }


def test_clean_drops_and_counts_each_kind_of_bad_output() -> None:
    nan = float("nan")
    regions = [
        box(1, 1, 5, 5),
        box(nan, 1, 5, 5),
        box(1, 1, 500, 5),
        box(5, 5, 1, 1),
        box(1, 1, 5, 5, 7),
        box(1, 1, 5, 5, nan),
        box(1, 1, 5, 5, label="cat"),
        box(1, 1, 5, 5, label="old"),
        {"shape": "cube", "label": "coin"},
        "junk",
        box(-0.2, 0, 10, 10.3),
        {**box(1, 1, 5, 5), "geometry": {"x0": "<script>", "y0": 0, "x1": 1, "y1": 1}},
        {"shape": "mask", "label": "coin", "geometry": {"raster": np.zeros((10, 10), bool)}, "score": 1.0},
        {"shape": "mask", "label": "coin", "geometry": {"raster": np.ones((9, 10), bool)}, "score": 1.0},
        {
            "shape": "polygon",
            "label": "coin",
            "geometry": {"rings": [[[0, 0], [1, 1], [0, 0]]]},
            "score": 1.0,
        },
        {"shape": "span", "label": "coin", "geometry": {"start": 0, "end": 1, "quote": "a"}, "score": 1.0},
    ]
    out = clean(Proposal(regions, {"c": "yes", "d": "no"}, score=7.0), schema=SCHEMA, width=10, height=10)
    assert [region["geometry"] for region in out.regions] == [
        {"x0": 1, "y0": 1, "x1": 5, "y1": 5},
        {"x0": 0, "y0": 0, "x1": 10, "y1": 10},
    ]
    assert out.dropped == {
        "not_a_number": 2,
        "outside": 2,
        "too_small": 3,
        "bad_score": 3,
        "unknown_label": 2,
        "unknown_shape": 3,
        "unknown_answer": 1,
    }
    assert out.answers == {"c": "yes"} and out.score == 0.5


def test_clean_of_a_flood_keeps_the_surest_and_counts_the_rest() -> None:
    flood = [box(1, 1, 5, 5, score) for score in np.linspace(0, 1, 3000)]
    out = clean(Proposal(flood), schema=SCHEMA, width=10, height=10, limit=100)
    assert len(out.regions) == 100 and min(region["score"] for region in out.regions) > 0.9
    assert out.dropped == {"over_limit": 2900}
    million = clean(Proposal([flood[0]] * 1_000_000), schema=SCHEMA, width=10, height=10)
    assert len(million.regions) == 1000 and million.dropped["over_limit"] == 999_000


def test_average_precision_by_hand() -> None:
    # Two truth boxes; calls by score: hit, miss, hit. Precision at the hits 1/1 and 2/3, recall steps 1/2
    # each:
    # the area under the envelope is 1/2 * 1 + 1/2 * 2/3 = 5/6.
    truth = [[("a", (0, 0, 10, 10)), ("a", (20, 20, 30, 30))]]
    found = [[("a", (0, 0, 10, 10), 0.9), ("a", (50, 50, 60, 60), 0.8), ("a", (20, 20, 30, 31), 0.7)]]
    assert measures.average_precision(truth, found).value == pytest.approx(5 / 6)
    # The same box called twice counts once: hit, then miss, then nothing more: 1/2.
    twice = [[("a", (0, 0, 10, 10), 0.9), ("a", (0, 0, 10, 10), 0.8)]]
    assert measures.average_precision(truth, twice).value == pytest.approx(0.5)
    assert measures.average_precision([[]], [[]]).value is None
    assert measures.average_precision(truth, [[]]).value == 0.0


def test_best_threshold_and_suppress() -> None:
    truth = [[("a", (0, 0, 10, 10))]]
    found = [[("a", (0, 0, 10, 10), 0.6), ("a", (40, 0, 50, 10), 0.4)]]
    assert measures.best_threshold(truth, found) == 0.6
    assert measures.best_threshold([[]], [[]], 0.3) == 0.3
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]], float)
    assert measures.suppress(boxes, np.array([0.5, 0.9, 0.1]), 0.5) == [1, 2]


def test_mask_iou_by_hand_and_wilson() -> None:
    truth, found = np.array([[1, 1, 0, 2]]), np.array([[1, 0, 0, 0]])
    score, each = measures.mask_iou([truth], [found], ["a", "b", "c"])
    assert each == {"a": 0.5, "b": 0.0, "c": None} and score.value == 0.25
    assert measures.mask_iou([], [], ["a"])[0].value is None
    low, high = measures.wilson(0.5, 10)
    # Newcombe 1998: 5 of 10 gives 0.2366 to 0.7634.
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)


def test_artefact_keeps_bytes_and_values() -> None:
    arrays = {"w": np.arange(6, dtype="<f4").reshape(2, 3), "n": np.array([1, 2], "<i8")}
    data = artefact.pack({"kind": "boxes", "labels": ["硬币"]}, arrays)
    assert data == artefact.pack({"labels": ["硬币"], "kind": "boxes"}, dict(reversed(arrays.items())))
    meta, back = artefact.unpack(data, {"w": (2, 3), "n": (None,)})
    assert meta["labels"] == ["硬币"] and all((back[name] == arrays[name]).all() for name in arrays)


class Marker:
    def __reduce__(self):  # noqa: ANN204
        return (open, ("/tmp/should-never-be-there-prelabel", "w"))


def _zip(members: dict[str, bytes], compress: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compress) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return buffer.getvalue()


def _npy(array: np.ndarray, pickled: bool = False) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=(1, 0), allow_pickle=pickled)
    return out.getvalue()


def _meta(*names: str) -> bytes:
    return json.dumps({"format": 1, "arrays": list(names)}).encode()


def _lying() -> bytes:
    raw = _npy(np.zeros(4, "<f4"))
    return raw.replace(b"(4,)", b"(4000000000000,)").replace(b"            \n", b"\n")


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Marker()),
        b"",
        b"PK\x03\x04 cut",
        _zip({"archive/data.pkl": pickle.dumps(Marker()), "archive/version": b"3"}),
        _zip({"meta.json": _meta("w"), "w.npy": _npy(np.array([Marker()], object), pickled=True)}),
        _zip({"meta.json": _meta("w"), "w.npy": _npy(np.zeros(2, "<f4")), "code.py": b"1"}),
        _zip({"meta.json": _meta("w")}),
        _zip({"meta.json": _meta("w"), "w.npy": _npy(np.array([np.nan], "<f4"))}),
        _zip({"meta.json": _meta("w"), "w.npy": _npy(np.array([np.inf], "<f4"))}),
        _zip({"meta.json": _meta("w"), "w.npy": _npy(np.zeros((3, 1), "<f4"))}),
        _zip({"meta.json": _meta("w"), "w.npy": _lying()}),
        _zip({"meta.json": _meta("w"), "w.npy": _npy(np.zeros(2, "<f4"))}, zipfile.ZIP_DEFLATED),
        _zip({"meta.json": b"[" * 100_000, "w.npy": _npy(np.zeros(2, "<f4"))}),
        _zip({"meta.json": b'{"format": 2, "arrays": []}'}),
    ],
    # The bytes hold the time of writing: as names they would differ between the processes of one run.
    ids=lambda data: str(len(data)),
)
def test_artefact_refuses(data: bytes) -> None:
    from pathlib import Path

    with pytest.raises(Invalid) as caught:
        artefact.unpack(data, {"w": (2,)})
    assert caught.value.code == "model_refused"
    assert not Path("/tmp/should-never-be-there-prelabel").exists()


@given(st.binary(max_size=200), st.integers(0, 400))
def test_artefact_never_trips_over_damage(noise: bytes, at: int) -> None:
    data = bytearray(artefact.pack({"kind": "x"}, {"w": np.zeros(4, "<f4")}))
    data[at : at + len(noise)] = noise
    with contextlib.suppress(Invalid):
        artefact.unpack(bytes(data), {"w": (4,)})


def example(key: str, group: str) -> Example:
    return Example(Sample(key, text=""), Target(), group)


def test_split_keeps_groups_together_and_is_stable() -> None:
    examples = [example(f"k{i}", f"g{i // 3}") for i in range(90)]
    train, holdout = split(examples, "seed")
    assert len(holdout) == 18 and not {e.group for e in train} & {e.group for e in holdout}
    assert split(list(reversed(examples)), "seed")[1] == list(reversed(holdout))
    grown = [*examples, *(example(f"n{i}", f"n{i}") for i in range(30))]
    old = {e.group for e in holdout}
    assert len(old & {e.group for e in split(grown, "seed")[1]}) >= 0.5 * len(old)
    assert split(examples[:3], "seed")[1] == []


def test_outline_round_trip() -> None:
    raster = np.zeros((40, 50), bool)
    raster[5:20, 10:30] = True
    raster[30:34, 0:6] = True
    rings = raster_to_rings(raster, tolerance_px=0.2)
    assert len(rings) == 2
    back = rings_to_raster([rings[0]], 40, 50) | rings_to_raster([rings[1]], 40, 50)
    assert (back & raster).sum() / (back | raster).sum() > 0.97
    hole = rings_to_raster([[[0, 0], [10, 0], [10, 10], [0, 10]], [[2, 2], [4, 2], [4, 4], [2, 4]]], 12, 12)
    assert hole.sum() == 100 - 4
