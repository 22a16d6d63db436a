"""train(): examples in, a judged model file out. The same steps for every kind; a kind adds its fit and its
measure.

20 % of the groups judge and never train. A model that is worse than the one before it, on the pictures that
neither of them
saw, is returned as such: the caller keeps the previous one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotator.core.errors import Invalid
from prelabel.core import artefact, measures
from prelabel.core.kinds import KINDS, MINIMUM
from prelabel.core.samples import Example, never, silent
from prelabel.core.splitting import split
from prelabel.nets.features import FeatureCache
from prelabel.serve.predict import Predictor, truth_of
from prelabel.training.run import Setting, Watch


def _(text: str) -> str:
    return text


@dataclass
class Trained:
    """The outcome. better: False when the previous version scored higher on the same unseen items."""

    artefact: bytes
    metrics: dict[str, Any] = field(default_factory=dict)
    trained_on: list[str] = field(default_factory=list)
    trained_groups: list[str] = field(default_factory=list)
    better: bool = True


def train(
    kind: str,
    examples: Sequence[Example],
    *,
    cache: FeatureCache,
    control: str | None = None,
    labels: Sequence[str] = (),
    seed: int = 0,
    split_seed: str = "",
    previous: bytes | None = None,
    minimum: int | None = None,
    steps: int | None = None,
    size: int | None = None,
    encoder_weights: str = "package",
    progress: Callable[[int, int, str], None] = silent,
    cancelled: Callable[[], bool] = never,
) -> Trained:
    """Trains and judges one model.

    kind: boxes | masks | text_class. control: the choice control that text_class answers. labels: those that
    may be
    proposed; labels without an example are left out and named in the metrics.
    Raises Invalid("too_few_examples" | "one_class") with the reason, Cancelled when told so.
    """
    if kind not in KINDS:
        raise Invalid("unknown_kind", _("There is no model of this kind."), field="kind")
    if kind == "text_class" and control is None:
        raise Invalid("no_control", _("A text model needs a question to answer."), field="control")
    begun = time.monotonic()
    watch = Watch(progress, cancelled)
    known = [example for example in examples if _usable(kind, example, control)]
    need = MINIMUM[kind] if minimum is None else minimum
    if len(known) < need:
        raise Invalid(
            "too_few_examples",
            _("There are too few accepted items to learn from."),
            cure=_("Label and accept more items, then train again."),
            have=len(known),
            need=need,
        )
    present = _present(kind, known, control)
    chosen = [label for label in labels if label in present] if labels else sorted(present)
    if kind == "text_class" and len(chosen) < 2:
        raise Invalid(
            "one_class", _("All accepted items have the same answer, so there is nothing to learn.")
        )
    if not chosen:
        raise Invalid("no_objects", _("The accepted items hold no object that this model could learn."))
    training, holdout = split(known, split_seed or str(seed))
    meta, arrays, encoder = _fit(
        kind, training, chosen, control, cache, seed, steps, size, encoder_weights, watch
    )
    meta = {
        **meta,
        "kind": kind,
        "labels": meta.get("labels", chosen),
        "control": control,
        "seed": seed,
        "n_train": len(training),
    }
    predictor = Predictor(meta, arrays, cache=cache, encoder=encoder)
    metrics = judge(predictor, holdout, watch)
    if kind == "boxes" and "threshold" in metrics:
        meta["threshold"] = metrics["threshold"]
    unexposed = [example for example in holdout if not example.exposed]
    if len(unexposed) < len(holdout):
        # What a prelabel was shown on was corrected from a machine's answer, so its score flatters the
        # machine.
        metrics["score_unexposed"] = judge(predictor, unexposed, watch)["score"]
    metrics |= {
        "n_train": len(training),
        "n_holdout": len(holdout),
        "labels": meta["labels"],
        "labels_without_example": [label for label in labels if label not in present],
        "encoder": meta.get("encoder"),
        "seconds": round(time.monotonic() - begun, 1),
    }
    for name in ("size", "steps", "n_tiles", "n_tiles_seen_of"):
        if name in meta:
            metrics[name] = meta[name]
    trained_on = [example.sample.key for example in training]
    meta["trained_on"] = sorted(trained_on)
    out = Trained(
        artefact.pack(meta, arrays),
        metrics,
        sorted(trained_on),
        sorted({example.group for example in training}),
    )
    if previous is not None:
        out.better = _compare(out, predictor, previous, holdout, cache, encoder, watch)
    watch.check()
    return out


def _usable(kind: str, example: Example, control: str | None) -> bool:
    if kind == "text_class":
        return example.sample.text is not None and control in example.target.answers
    # A picture in which people found nothing teaches as well: there is nothing to draw on it.
    return example.sample.picture is not None


def _present(kind: str, examples: Sequence[Example], control: str | None) -> set[str]:
    if kind == "boxes":
        return {box[0] for example in examples for box in example.target.boxes}
    if kind == "masks":
        return {
            label
            for example in examples
            if example.target.rasters is not None
            for label, raster in example.target.rasters().items()
            if raster.any()
        }
    return {example.target.answers[control or ""] for example in examples}


def _fit(
    kind: str,
    training: Sequence[Example],
    labels: Sequence[str],
    control: str | None,
    cache: FeatureCache,
    seed: int,
    steps: int | None,
    size: int | None,
    encoder_weights: str,
    watch: Watch,
) -> tuple[dict[str, Any], dict[str, Any], Any]:
    if kind == "text_class":
        from prelabel.nets import text

        watch.plan(2)
        answers = [example.target.answers[control or ""] for example in training]
        if len(set(answers)) < 2:
            raise Invalid(
                "one_class", _("All accepted items have the same answer, so there is nothing to learn.")
            )
        watch.step("training")
        meta, arrays = text.fit([example.sample.text or "" for example in training], answers, seed)
        watch.step("training")
        return meta, arrays, None
    from prelabel.nets.device import settle
    from prelabel.nets.encoder import Encoder
    from prelabel.training import boxes, masks

    device = settle()
    encoder = Encoder(encoder_weights, device)
    setting = Setting(cache=cache, device=device, encoder=encoder, seed=seed, steps=steps, size=size)
    meta, arrays = (boxes if kind == "boxes" else masks).fit(training, labels, setting, watch)
    return meta, arrays, encoder


def judge(predictor: Predictor, holdout: Sequence[Example], watch: Watch) -> dict[str, Any]:
    """The measure of the kind over the holdout, with n; undefined says why."""
    empty = {"boxes": "ap50", "masks": "mask_iou", "text_class": "accuracy"}[predictor.kind]
    if not holdout:
        return {"score": measures.Score(empty, None, 0, "empty_holdout").as_dict()}
    outputs = []
    for start in range(0, len(holdout), 8):
        outputs += predictor.raw([example.sample for example in holdout[start : start + 8]])
        watch.check()
    kept = [(example, output) for example, output in zip(holdout, outputs, strict=True) if output is not None]
    truth = [truth_of(predictor, example) for example, _output in kept]
    found: list[Any] = [output for _example, output in kept]
    out: dict[str, Any]
    if predictor.kind == "boxes":
        out = {"score": measures.average_precision(truth, found).as_dict()}
        out["threshold"] = round(measures.best_threshold(truth, found), 4)
    elif predictor.kind == "masks":
        score, each = measures.mask_iou(truth, [one["map"] for one in found], predictor.labels)
        out = {
            "score": score.as_dict(),
            "each": {label: None if value is None else round(value, 4) for label, value in each.items()},
        }
    else:
        classes = [answer for answer, _probability in found]
        score = measures.accuracy(truth, classes)
        low, high = measures.wilson(score.value or 0.0, score.n)
        most = max((truth.count(name) for name in set(truth)), default=0)
        out = {
            "score": {**score.as_dict(), "low": round(low, 4), "high": round(high, 4)},
            "majority": round(most / len(truth), 4) if truth else None,
        }
    if len(kept) < len(holdout):
        out["not_answered"] = len(holdout) - len(kept)
    return out


def _compare(
    new: Trained,
    predictor: Predictor,
    previous: bytes,
    holdout: Sequence[Example],
    cache: FeatureCache,
    encoder: Any,
    watch: Watch,
) -> bool:
    """Whether the new model is at least as good on holdout items that the previous one did not train on."""
    meta, _arrays = artefact.unpack(previous)
    seen = set(meta.get("trained_on", ()))
    unseen = [example for example in holdout if example.sample.key not in seen]
    if meta.get("kind") != predictor.kind or not unseen:
        new.metrics["previous"] = {"compared": False, "reason": "no_item_unseen_by_both"}
        return True
    old = Predictor.load(previous, cache=cache, encoder=encoder)
    was = judge(old, unseen, watch)["score"]["value"]
    now = judge(predictor, unseen, watch)["score"]["value"]
    new.metrics["previous"] = {"compared": True, "n": len(unseen), "was": was, "now": now}
    return was is None or now is None or bool(np.greater_equal(now, was))
