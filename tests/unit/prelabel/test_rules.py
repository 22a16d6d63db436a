"""Every rule by contract, then each by what it must find."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from annotator.core.errors import Invalid
from prelabel.core.cleaning import clean
from prelabel.core.parameters import KINDS
from prelabel.core.samples import Proposal, Sample
from prelabel.rules import RULES, choices, prepare_values, usable

SCHEMA = {
    "format": 1,
    "controls": [
        {
            "name": "objects",
            "kind": "regions",
            "shapes": ["box", "polygon", "mask"],
            "asset": "image",
            "labels": ["coin"],
        },
        {"name": "words", "kind": "regions", "shapes": ["span"], "asset": "text", "labels": ["city", "date"]},
        {"name": "mood", "kind": "choice", "options": [{"name": "good"}, {"name": "bad"}]},
    ],
    "labels": [
        {"name": "coin", "attributes": [{"name": "state", "kind": "choice", "default": "new"}]},
        {"name": "city"},
        {"name": "date"},
        {"name": "old", "retired": True},
    ],
}
VALUES = {
    "blob.v1": {},
    "dictionary.v1": {"terms": {"city": ["Oslo"]}},
    "pattern.v1": {"patterns": {"date": [r"\d{4}-\d{2}"]}},
    "keyword.v1": {"words": {"good": ["fine"]}},
}


def run(rule_id: str, values: dict, sample: Sample, schema: dict = SCHEMA) -> Proposal:
    rule = RULES.get(rule_id)
    with rule.prepare(prepare_values(rule, values, schema), schema) as apply:
        return apply(sample)


def sample_for(rule) -> Sample:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 20:40] = 200
    if rule.INPUT == "image":
        return Sample("a", picture=lambda: picture)
    return Sample("a", text="fine in Oslo since 2021-05")


@pytest.mark.parametrize("rule_id", RULES.ids())
def test_contract(rule_id: str) -> None:
    rule = RULES.get(rule_id)
    assert rule.INPUT in ("image", "text") and rule.TITLE and rule.HELP
    names = [parameter.name for parameter in rule.PARAMETERS]
    assert len(set(names)) == len(names)
    for parameter in rule.PARAMETERS:
        assert parameter.kind in KINDS and parameter.title
        json.dumps(parameter.as_dict())
    assert usable(rule, SCHEMA) and not usable(rule, {"controls": [], "labels": []})
    assert rule_id in VALUES, "a new rule states its example values here"
    first = run(rule_id, VALUES[rule_id], sample_for(rule))
    second = run(rule_id, VALUES[rule_id], sample_for(rule))
    assert first == second and not first.empty
    text = sample_for(rule).text
    cleaned = clean(first, schema=SCHEMA, width=60, height=40, text=text)
    assert not cleaned.dropped and len(cleaned.regions) == len(first.regions)
    assert cleaned.score is not None and 0 <= cleaned.score <= 1
    empty = (
        Sample("b", picture=lambda: np.zeros((1, 1, 3), np.uint8))
        if rule.INPUT == "image"
        else Sample("b", text="")
    )
    assert run(rule_id, VALUES[rule_id], empty).empty
    assert run(rule_id, VALUES[rule_id], Sample("c")).empty
    with pytest.raises(Invalid):
        prepare_values(rule, {"nothing": 1}, SCHEMA)


def test_rules_import_nothing_heavy() -> None:
    code = (
        "import sys; from prelabel.rules import RULES; RULES.ids();"
        "print([m for m in ('scipy','skimage','sklearn','torch','PIL','django') if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_blob_finds_boxes_at_the_pixel_edges() -> None:
    picture = np.full((50, 80, 3), 30, np.uint8)
    picture[5:15, 10:30] = 220
    picture[30:40, 50:70] = 210
    found = run("blob.v1", {"smooth_px": 0, "min_area_px": 10}, Sample("a", picture=lambda: picture))
    boxes = [tuple(region["geometry"][key] for key in ("x0", "y0", "x1", "y1")) for region in found.regions]
    assert boxes == [(10, 5, 30, 15), (50, 30, 70, 40)]
    assert found.regions[0]["score"] == 1.0 and found.regions[1]["score"] < 1.0
    dark = run("blob.v1", {"polarity": "dark", "smooth_px": 0}, Sample("a", picture=lambda: 255 - picture))
    assert [region["geometry"] for region in dark.regions] == [region["geometry"] for region in found.regions]


def test_blob_on_the_coins_picture() -> None:
    from skimage import data

    coins = np.repeat(data.coins()[:, :, None], 3, 2)
    found = run(
        "blob.v1", {"flatten_px": 40, "smooth_px": 2, "min_area_px": 400}, Sample("a", picture=lambda: coins)
    )
    # The picture shows 24 coins (4 rows of 6); each centre must lie in one box of coin size.
    sizes = [
        (r["geometry"]["x1"] - r["geometry"]["x0"], r["geometry"]["y1"] - r["geometry"]["y0"])
        for r in found.regions
    ]
    coin_like = [size for size in sizes if 30 <= size[0] <= 75 and 30 <= size[1] <= 75]
    assert len(coin_like) >= 21, sizes


@pytest.mark.parametrize(
    "value",
    [
        {"level": 300},
        {"level": 1.5},
        {"level": True},
        {"polarity": "grey"},
        {"label": "city"},
        {"smooth_px": float("nan")},
    ],
)
def test_blob_refuses_values_out_of_range(value: dict) -> None:
    with pytest.raises(Invalid) as caught:
        prepare_values(RULES.get("blob.v1"), value, SCHEMA)
    assert caught.value.field == next(iter(value))


def test_dictionary_counts_code_points_and_prefers_the_longest() -> None:
    text = "𝔘 去北京市和北京, Osloer Oslo OSLO"
    found = run("dictionary.v1", {"terms": {"city": ["北京", "北京市", "oslo"]}}, Sample("a", text=text))
    assert [region["geometry"]["quote"] for region in found.regions] == ["北京市", "北京", "Oslo", "OSLO"]
    assert all(
        text[r["geometry"]["start"] : r["geometry"]["end"]] == r["geometry"]["quote"] for r in found.regions
    )


def test_pattern_named_group_narrows_and_bad_ones_are_refused() -> None:
    found = run("pattern.v1", {"patterns": {"date": [r"on (?P<span>\d+)"]}}, Sample("a", text="on 12, at 13"))
    assert [region["geometry"] for region in found.regions] == [{"start": 3, "end": 5, "quote": "12"}]
    with pytest.raises(Invalid) as caught:
        run("pattern.v1", {"patterns": {"date": ["("]}}, Sample("a", text=""))
    assert caught.value.field == "patterns"


def test_pattern_that_backtracks_is_stopped_and_counted() -> None:
    rule = RULES.get("pattern.v1")
    values = prepare_values(rule, {"patterns": {"date": [r"(a+)+$", r"\d+"]}, "limit_ms": 200}, SCHEMA)
    with rule.prepare(values, SCHEMA) as apply:
        begun = time.monotonic()
        slow = apply(Sample("a", text="a" * 40 + "!"))
        assert slow.empty and slow.dropped["too_slow"] == 1 and time.monotonic() - begun < 5
        assert len(apply(Sample("b", text="year 2021")).regions) == 1


def test_keyword_answers_and_leaves_ties_open() -> None:
    values = {"words": {"good": ["fine", "great"], "bad": ["awful"]}}
    assert run("keyword.v1", values, Sample("a", text="Great and fine, not awful")).answers == {
        "mood": "good"
    }
    assert run("keyword.v1", values, Sample("a", text="fine yet awful")).empty


def test_choices_leave_out_retired_labels() -> None:
    assert choices(RULES.get("blob.v1"), SCHEMA).labels == ("coin",)
    schema = {**SCHEMA, "controls": [{"name": "o", "kind": "regions", "shapes": ["box"], "labels": "all"}]}
    assert choices(RULES.get("blob.v1"), schema).labels == ("coin", "city", "date")
