"""Holdout scores: AP50 of boxes, IoU of masks, accuracy of classes. Pure numpy; a score that cannot be had
says why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Score:
    """value in 0..1, or None with a reason; n = how many things it rests on (objects, pixels' pictures,
    texts)."""

    measure: str
    value: float | None
    n: int
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "measure": self.measure,
            "value": None if self.value is None else round(self.value, 4),
            "n": self.n,
        }
        if self.reason:
            out["reason"] = self.reason
        return out


def iou_matrix(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of every box of a (n, 4) with every box of b (m, 4); rows x0, y0, x1, y1. Empty union gives 0."""
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=1)
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = area_a[:, None] + area_b[None, :] - inter
    out: NDArray[np.float64] = np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
    return out


def suppress(boxes: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> list[int]:
    """Greedy non-maximum suppression; indices kept, surest first (ties: lower index)."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    overlaps = iou_matrix(boxes, boxes)
    gone = np.zeros(len(boxes), bool)
    for index in order:
        if gone[index]:
            continue
        kept.append(int(index))
        gone |= overlaps[index] > threshold
    return kept


def average_precision(
    truth: Sequence[Sequence[tuple[str, Box]]],
    found: Sequence[Sequence[tuple[str, Box, float]]],
    threshold: float = 0.5,
) -> Score:
    """Mean over classes that occur in `truth` of the area under the precision envelope (all points, as VOC
    2010 does).

    One entry a picture in both lists. Surest first, each truth box is matched once, at IoU >= threshold.
    Undefined when truth holds no box. n = truth boxes.
    """
    name = f"ap{round(threshold * 100)}"
    labels = sorted({label for picture in truth for label, _box in picture})
    if not labels:
        return Score(name, None, 0, "no_objects_in_holdout")
    values: list[float] = []
    n = 0
    for label in labels:
        wanted = [
            np.array([box for name_, box in picture if name_ == label], float).reshape(-1, 4)
            for picture in truth
        ]
        total = sum(len(boxes) for boxes in wanted)
        n += total
        calls = [
            (score, index, box)
            for index, picture in enumerate(found)
            for name_, box, score in picture
            if name_ == label
        ]
        calls.sort(key=lambda call: -call[0])
        used = [np.zeros(len(boxes), bool) for boxes in wanted]
        hits = np.zeros(len(calls))
        for rank, (_score, index, box) in enumerate(calls):
            ious = iou_matrix(np.array([box], float), wanted[index])[0] if len(wanted[index]) else np.zeros(0)
            ious = np.where(used[index], -1.0, ious)
            if len(ious) and ious.max() >= threshold:
                used[index][int(ious.argmax())] = True
                hits[rank] = 1
        tp = np.cumsum(hits)
        recall = tp / total
        precision = tp / np.arange(1, len(calls) + 1) if len(calls) else np.zeros(0)
        envelope = np.maximum.accumulate(precision[::-1])[::-1] if len(calls) else precision
        steps = np.diff(np.concatenate([[0.0], recall]))
        values.append(float((steps * envelope).sum()))
    return Score(name, float(np.mean(values)), n)


def best_threshold(
    truth: Sequence[Sequence[tuple[str, Box]]],
    found: Sequence[Sequence[tuple[str, Box, float]]],
    default: float = 0.3,
) -> float:
    """The score at which F1 at IoU 0.5 is highest (ties: the higher score); `default` when there is nothing
    to go by.

    Chosen on the same holdout as the score, so the proposals' F1 there is a little flattering; AP50 does not
    depend on it.
    """
    pairs: list[tuple[float, int]] = []
    total = sum(len(picture) for picture in truth)
    for wanted, calls in zip(truth, found, strict=True):
        used: set[int] = set()
        for label, box, score in sorted(calls, key=lambda call: -call[2]):
            best, at = 0.5, -1
            for index, (name, other) in enumerate(wanted):
                if name == label and index not in used:
                    iou = float(iou_matrix(np.array([box], float), np.array([other], float))[0, 0])
                    if iou >= best:
                        best, at = iou, index
            if at >= 0:
                used.add(at)
            pairs.append((score, int(at >= 0)))
    if not total or not any(hit for _score, hit in pairs):
        return default
    pairs.sort(key=lambda pair: -pair[0])
    hits, best_f1, chosen = 0, -1.0, default
    for rank, (score, hit) in enumerate(pairs, start=1):
        hits += hit
        f1 = 2 * hits / (rank + total)
        if f1 > best_f1:
            best_f1, chosen = f1, score
    return float(chosen)


def mask_iou(
    truth: Sequence[NDArray[np.integer]], found: Sequence[NDArray[np.integer]], labels: Sequence[str]
) -> tuple[Score, dict[str, float | None]]:
    """Mean over labels of intersection / union of pixels, summed over the pictures (0 = background, 1.. =
    labels).

    A label neither in truth nor found is left out. n = pictures. Second value: the figure of each label.
    """
    inter = np.zeros(len(labels))
    union = np.zeros(len(labels))
    for wanted, got in zip(truth, found, strict=True):
        for index in range(len(labels)):
            a, b = wanted == index + 1, got == index + 1
            inter[index] += np.count_nonzero(a & b)
            union[index] += np.count_nonzero(a | b)
    each: dict[str, float | None] = {
        label: (float(inter[index] / union[index]) if union[index] else None)
        for index, label in enumerate(labels)
    }
    known = [value for value in each.values() if value is not None]
    if not known:
        return Score("mask_iou", None, len(truth), "no_pixels_in_holdout"), each
    return Score("mask_iou", float(np.mean(known)), len(truth)), each


def accuracy(truth: Sequence[str], found: Sequence[str]) -> Score:
    """Share of equal classes. n = texts; undefined for none."""
    if not truth:
        return Score("accuracy", None, 0, "empty_holdout")
    right = sum(a == b for a, b in zip(truth, found, strict=True))
    return Score("accuracy", right / len(truth), len(truth))


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927). n = 0 gives (0, 1)."""
    if n <= 0:
        return 0.0, 1.0
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
