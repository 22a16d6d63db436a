"""Trains the box head on frozen, cached maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from prelabel.core.samples import Example
from prelabel.nets import views
from prelabel.nets.heads import BOX_STRIDES, BoxHead, state_of
from prelabel.training.run import Setting, Watch

SIZES = (320, 512)
SMALL_PX = 14.0
"""If a tenth of the objects are smaller than this at the small size, the large size is taken."""
STRIDE = 8
BATCH = 8
RATE = 3e-3


def choose_size(examples: Sequence[Example]) -> int:
    """The smallest side of the input square at which objects are not lost between the cells."""
    sides: list[float] = []
    for example in examples:
        if not example.target.boxes:
            continue
        height, width = views.picture_of(example.sample).shape[:2]
        scale = SIZES[0] / max(height, width)
        sides += [min(x1 - x0, y1 - y0) * scale for _label, x0, y0, x1, y1 in example.target.boxes]
    if not sides or float(np.quantile(sides, 0.1)) >= SMALL_PX:
        return SIZES[0]
    return SIZES[1]


def targets(
    boxes: Sequence[tuple[int, float, float, float, float]], n_labels: int, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """(heat (labels, h, w), distances (4, h, w) in strides, weight (h, w)) of boxes given in fitted pixels.

    Heat is 1 at the cell of the centre and falls off as a Gaussian a seventh of the box wide. Distances are
    set where the
    heat is over 0.3; the smaller box wins a cell.
    """
    side = size // STRIDE
    heat = np.zeros((n_labels, side, side), np.float32)
    distances = np.ones((4, side, side), np.float32)
    weight = np.zeros((side, side), np.float32)
    centres = np.arange(side, dtype=np.float32) + 0.5
    for label, x0, y0, x1, y1 in sorted(boxes, key=lambda box: -(box[3] - box[1]) * (box[4] - box[2])):
        x0, y0, x1, y1 = x0 / STRIDE, y0 / STRIDE, x1 / STRIDE, y1 / STRIDE
        column = min(side - 1, int((x0 + x1) / 2))
        row = min(side - 1, int((y0 + y1) / 2))
        spread_x, spread_y = max(0.5, (x1 - x0) / 7), max(0.5, (y1 - y0) / 7)
        along_x = np.exp(-((centres - centres[column]) ** 2) / (2 * spread_x**2))
        along_y = np.exp(-((centres - centres[row]) ** 2) / (2 * spread_y**2))
        bell = along_y[:, None] * along_x[None, :]
        heat[label] = np.maximum(heat[label], bell)
        inside = (
            (centres[None, :] > x0)
            & (centres[None, :] < x1)
            & (centres[:, None] > y0)
            & (centres[:, None] < y1)
        )
        take = (bell > 0.3) & inside
        take[row, column] = True
        distances[0][take] = np.broadcast_to(centres[None, :] - x0, take.shape)[take]
        distances[1][take] = np.broadcast_to(centres[:, None] - y0, take.shape)[take]
        distances[2][take] = np.broadcast_to(x1 - centres[None, :], take.shape)[take]
        distances[3][take] = np.broadcast_to(y1 - centres[:, None], take.shape)[take]
        weight[take] = bell[take]
    return heat, np.maximum(distances, 0.05), weight


def loss_of(
    heat: torch.Tensor,
    distances: torch.Tensor,
    want_heat: torch.Tensor,
    want_distances: torch.Tensor,
    weight: torch.Tensor,
) -> torch.Tensor:
    """Focal loss of the heat map with soft negatives near centres (Zhou et al. 2019) plus 1 - IoU of the
    boxes."""
    p = torch.sigmoid(heat).clamp(1e-4, 1 - 1e-4)
    centre = want_heat >= 0.999
    positive = torch.log(p) * (1 - p) ** 2 * centre
    negative = torch.log(1 - p) * p**2 * (1 - want_heat) ** 4 * ~centre
    n = centre.sum().clamp(min=1)
    focal = -(positive.sum() + negative.sum()) / n
    left = torch.minimum(distances, want_distances)
    inter = (left[:, 0] + left[:, 2]) * (left[:, 1] + left[:, 3])
    area = (distances[:, 0] + distances[:, 2]) * (distances[:, 1] + distances[:, 3])
    want = (want_distances[:, 0] + want_distances[:, 2]) * (want_distances[:, 1] + want_distances[:, 3])
    iou = inter / (area + want - inter).clamp(min=1e-6)
    extent = (-torch.log(iou.clamp(min=1e-4)) * weight).sum() / weight.sum().clamp(min=1e-6)
    return focal + extent


def fit(
    examples: Sequence[Example], labels: Sequence[str], setting: Setting, watch: Watch
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(description, arrays) of a trained head."""
    encoder, cache, device = setting.encoder, setting.cache, setting.device
    assert encoder is not None
    size = setting.size or choose_size(examples)
    steps = setting.steps or int(np.clip(6 * len(examples), 240, 1200))
    watch.plan(2 * len(examples) + steps)
    flips = (False, True)
    wanted: dict[tuple[int, bool], tuple[NDArray[np.float32], ...]] = {}
    for index, example in enumerate(examples):
        height, width = views.picture_of(example.sample).shape[:2]
        scale = size / max(height, width)
        for flip in flips:
            views.box_maps(example.sample, encoder, cache, size, flip)
            fitted = [
                (labels.index(label), *_scaled(corner, scale, size if flip else None))
                for label, *corner in example.target.boxes
            ]
            wanted[index, flip] = targets(fitted, len(labels), size)  # type: ignore[arg-type]
            watch.step("reading pictures")
    rng = np.random.default_rng(setting.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(setting.seed)
        net = BoxHead(len(labels)).to(device).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02)
    # The rate falls in a straight line to zero: a constant one ends clearly lower.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: max(0.0, min((step + 1) / 10, 1 - step / steps))
    )
    queue: list[int] = []
    for _step in range(steps):
        if len(queue) < BATCH:
            queue += list(rng.permutation(len(examples)))
        chosen, queue = queue[:BATCH], queue[BATCH:]
        picks = [(int(index), bool(rng.integers(2))) for index in chosen]
        maps = [views.box_maps(examples[i].sample, encoder, cache, size, flip) for i, flip in picks]
        heat, distances = net(views.stack(maps, BOX_STRIDES, device))
        goals = [
            torch.from_numpy(np.stack([wanted[pick][part] for pick in picks])).to(device) for part in range(3)
        ]
        loss = loss_of(heat, distances, *goals)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        watch.step("training")
    return {"size": size, "encoder": encoder.id, "steps": steps}, state_of(net)


def _scaled(
    corners: Sequence[float], scale: float, mirror_in: int | None
) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (value * scale for value in corners)
    return (mirror_in - x1, y0, mirror_in - x0, y1) if mirror_in else (x0, y0, x1, y1)


def decode(
    heat: torch.Tensor, distances: torch.Tensor, floor: float, most: int
) -> list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """Per picture (label index, boxes in fitted pixels, scores): 3 x 3 peaks over `floor`, at most `most`,
    surest first."""
    p = torch.sigmoid(heat)
    peaks = p * (functional.max_pool2d(p, 3, 1, 1) == p)
    out = []
    n_labels, rows, columns = p.shape[1:]
    for index in range(len(p)):
        flat = peaks[index].flatten()
        scores, places = flat.topk(min(most, len(flat)))
        places = places[scores > floor]
        scores = scores[scores > floor]
        label, cell = places // (rows * columns), places % (rows * columns)
        row, column = cell // columns, cell % columns
        d = distances[index][:, row, column].T
        x, y = column + 0.5, row + 0.5
        boxes = torch.stack([x - d[:, 0], y - d[:, 1], x + d[:, 2], y + d[:, 3]], 1) * STRIDE
        out.append((label.cpu().numpy(), boxes.double().cpu().numpy(), scores.double().cpu().numpy()))
    return out
