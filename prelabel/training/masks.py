"""Trains the mask decoder on frozen, cached maps of 256-pixel tiles in three orientations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from prelabel.core.samples import Example, Raster
from prelabel.nets import views
from prelabel.nets.encoder import GREY
from prelabel.nets.encoder import fit as fit_picture
from prelabel.nets.heads import MASK_STRIDES, MaskHead, state_of
from prelabel.training.run import Setting, Watch

BATCH = 8
RATE = 3e-3
MAX_TILES = 400
"""More tiles than this cost minutes on two cores: those that show labels go first, the rest is said in the
metrics."""


def label_map(
    rasters: Mapping[str, Raster], labels: Sequence[str], height: int, width: int
) -> NDArray[np.uint8]:
    """0 = background, 1.. = labels in order; where two labels overlap the later one stands."""
    out = np.zeros((height, width), np.uint8)
    for index, label in enumerate(labels):
        if label in rasters:
            out[rasters[label]] = index + 1
    return out


def truth_of(example: Example, labels: Sequence[str], height: int, width: int) -> NDArray[np.uint8]:
    """The accepted label map of an example at its own size."""
    rasters = example.target.rasters() if example.target.rasters is not None else {}
    return label_map(rasters, labels, height, width)


def _shrunk(wanted: NDArray[np.uint8], shape: tuple[int, int], scale: float) -> NDArray[np.uint8]:
    """Nearest neighbour at the fitted size; padding is background."""
    height, width = wanted.shape
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    rows = np.minimum(((np.arange(new_height) + 0.5) * height / new_height).astype(int), height - 1)
    columns = np.minimum(((np.arange(new_width) + 0.5) * width / new_width).astype(int), width - 1)
    out = np.zeros(shape, np.uint8)
    out[:new_height, :new_width] = wanted[rows[:, None], columns[None, :]]
    return out


def fit(
    examples: Sequence[Example], labels: Sequence[str], setting: Setting, watch: Watch
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(description, arrays) of a trained decoder."""
    encoder, device = setting.encoder, setting.device
    assert encoder is not None
    rng = np.random.default_rng(setting.seed)
    # Which tiles: looked up first, without pictures in memory, so that a thousand large pictures cost no
    # memory.
    places: list[tuple[bool, int, tuple[int, int]]] = []
    for index, example in enumerate(examples):
        picture = views.picture_of(example.sample)
        wanted = truth_of(example, labels, *picture.shape[:2])
        scale = min(1.0, views.MASK_LONG_SIDE / max(picture.shape[:2]))
        rows, columns = (-(-max(1, round(length * scale)) // 32) * 32 for length in picture.shape[:2])
        shrunk = _shrunk(wanted, (rows, columns), scale)
        places += [
            (bool(views.cut(shrunk, *corner, 0).any()), index, corner)
            for corner in views.tile_corners(rows, columns)
        ]
        watch.check()
    total = len(places)
    drawn = sorted((int(at) for at in rng.permutation(total)), key=lambda at: not places[at][0])[:MAX_TILES]
    chosen = sorted(drawn, key=lambda at: places[at][1])
    turns = range(len(views.ORIENTATIONS))
    steps = setting.steps or int(np.clip(5 * len(chosen), 160, 700))
    watch.plan(len(chosen) * len(turns) + steps)
    tiles: list[tuple[int, tuple[int, int], NDArray[np.uint8], NDArray[np.uint8]]] = []
    last = -1
    fitted = goals = np.zeros((0, 0), np.uint8)
    for at in chosen:
        _labelled, index, corner = places[at]
        if index != last:
            picture = views.picture_of(examples[index].sample)
            fitted, scale = fit_picture(picture, views.MASK_LONG_SIDE, square=False)
            wanted = truth_of(examples[index], labels, *picture.shape[:2])
            goals, last = _shrunk(wanted, (fitted.shape[0], fitted.shape[1]), scale), index
        piece, goal = views.cut(fitted, *corner, GREY), views.cut(goals, *corner, 0)
        tiles.append((index, corner, piece.astype(np.uint8), goal.astype(np.uint8)))
        for turn in turns:
            _maps(examples, tiles[-1], turn, setting)
            watch.step("reading pictures")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(setting.seed)
        net = MaskHead(len(labels)).to(device).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: max(0.0, min((step + 1) / 10, 1 - step / steps))
    )
    queue: list[int] = []
    for _step in range(steps):
        if len(queue) < BATCH:
            queue += list(rng.permutation(len(tiles)))
        picked, queue = queue[:BATCH], queue[BATCH:]
        picks = [(int(index), int(rng.integers(len(views.ORIENTATIONS)))) for index in picked]
        maps = [_maps(examples, tiles[index], turn, setting) for index, turn in picks]
        turned = [views.ORIENTATIONS[turn](tiles[index][3]) for index, turn in picks]
        target = np.stack(turned).astype(np.int64)
        logits = net(views.stack(maps, MASK_STRIDES, device))
        sides = target.shape[1:]
        logits = functional.interpolate(logits, size=sides, mode="bilinear", align_corners=False)
        loss = loss_of(logits, torch.from_numpy(target).to(device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        watch.step("training")
    meta = {"encoder": encoder.id, "steps": steps, "n_tiles": len(tiles), "n_tiles_seen_of": total}
    return meta, state_of(net)


def _maps(
    examples: Sequence[Example],
    tile: tuple[int, tuple[int, int], NDArray[np.uint8], NDArray[np.uint8]],
    turn: int,
    setting: Setting,
) -> views.Maps:
    index, corner, piece, _goal = tile
    assert setting.encoder is not None
    return views.tile_maps(examples[index].sample, piece, corner, turn, setting.encoder, setting.cache)


def loss_of(logits: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """Cross entropy plus 1 - soft Dice over the labels that occur in the batch."""
    entropy = functional.cross_entropy(logits, goal)
    p = torch.softmax(logits, 1)
    hot = functional.one_hot(goal, logits.shape[1]).permute(0, 3, 1, 2).float()
    inter = (p * hot).sum((0, 2, 3))
    total = (p + hot).sum((0, 2, 3))
    dice = 2 * inter / total.clamp(min=1e-6)
    there = hot.sum((0, 2, 3)) > 0
    return entropy + (1 - dice[there]).mean()
