"""Pictures as the heads see them: fitted, flipped, encoded once, kept in the feature cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from prelabel.core.samples import Picture, Sample
from prelabel.nets.encoder import Encoder, fit
from prelabel.nets.features import FeatureCache, Maps
from prelabel.nets.heads import BOX_STRIDES, MASK_STRIDES

TILE = 256
MASK_LONG_SIDE = 1024
"""Pictures for masks are shrunk to this long side (never enlarged): finer detail than 4 px of it is not
drawn."""
ORIENTATIONS: tuple[Callable[[NDArray[np.generic]], NDArray[np.generic]], ...] = (
    lambda array: array,
    lambda array: array[:, ::-1],
    lambda array: np.swapaxes(array, 0, 1)[::-1],
)
"""Identity, mirror, quarter turn: applied to height x width (x colours) arrays."""


def picture_of(sample: Sample) -> Picture:
    """The sample's picture; a sample without one is the caller's mistake."""
    if sample.picture is None:
        raise ValueError("this sample has no picture")
    return sample.picture()


def box_maps(sample: Sample, encoder: Encoder, cache: FeatureCache, size: int, flip: bool) -> Maps:
    """Maps of the whole picture in a square of `size` pixels, mirrored or not."""

    def make() -> Maps:
        fitted, _scale = fit(picture_of(sample), size, square=True)
        if flip:
            fitted = np.ascontiguousarray(fitted[:, ::-1])
        return _named(encoder.maps(fitted[None], BOX_STRIDES))

    return cache.get(sample.sha256, encoder.id, f"box{size}{'m' if flip else ''}", make)


def mask_maps(sample: Sample, encoder: Encoder, cache: FeatureCache) -> Maps:
    """Maps of the whole picture, long side at most MASK_LONG_SIDE."""

    def make() -> Maps:
        fitted, _scale = fit(picture_of(sample), MASK_LONG_SIDE, square=False)
        return _named(encoder.maps(fitted[None], MASK_STRIDES))

    return cache.get(sample.sha256, encoder.id, f"mask{MASK_LONG_SIDE}", make)


def tile_corners(height: int, width: int) -> list[tuple[int, int]]:
    """Top-left corners of tiles that cover a fitted picture; the last ones are moved back inside."""

    def along(length: int) -> list[int]:
        if length <= TILE:
            return [0]
        n = -(-length // TILE)
        return [round(index * (length - TILE) / (n - 1)) for index in range(n)]

    return [(y, x) for y in along(height) for x in along(width)]


def cut(array: NDArray[np.generic], y: int, x: int, fill: int) -> NDArray[np.generic]:
    """One TILE x TILE piece, filled beyond the picture's edge."""
    piece = array[y : y + TILE, x : x + TILE]
    if piece.shape[:2] == (TILE, TILE):
        return piece
    out = np.full((TILE, TILE, *array.shape[2:]), fill, array.dtype)
    out[: piece.shape[0], : piece.shape[1]] = piece
    return out


def tile_maps(
    sample: Sample,
    piece: NDArray[np.uint8],
    corner: tuple[int, int],
    turn: int,
    encoder: Encoder,
    cache: FeatureCache,
) -> Maps:
    """Maps of one tile (already cut, its corner only names it) in one orientation."""
    y, x = corner

    def make() -> Maps:
        turned = np.ascontiguousarray(ORIENTATIONS[turn](piece)).astype(np.uint8)
        return _named(encoder.maps(turned[None], MASK_STRIDES))

    return cache.get(sample.sha256, encoder.id, f"tile{MASK_LONG_SIDE}-{y}-{x}-{turn}", make)


def _named(maps: Mapping[int, NDArray[np.float16]]) -> Maps:
    return {f"s{stride}": array[0] for stride, array in maps.items()}


def stack(views: Sequence[Maps], strides: tuple[int, ...], device: torch.device) -> dict[int, torch.Tensor]:
    """Views of one size as a batch of float32 tensors."""
    return {
        stride: torch.from_numpy(np.stack([view[f"s{stride}"] for view in views])).to(device).float()
        for stride in strides
    }
