"""The two small trained nets on top of the frozen maps: a centre head for boxes, a top-down decoder for
masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from prelabel.nets.encoder import CHANNELS

BOX_STRIDES = (8, 16, 32)
MASK_STRIDES = (4, 8, 16, 32)
WIDTH = 64


class TopDown(nn.Module):
    """Maps of several strides brought to one width, upsampled and added, at the finest stride."""

    def __init__(self, strides: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.strides = strides
        self.side = nn.ModuleList(nn.Conv2d(CHANNELS[stride], width, 1) for stride in strides)
        # Group norm has no running state, so that training and use are the same function of one picture.
        self.norm = nn.ModuleList(nn.GroupNorm(8, width) for _stride in strides)

    def forward(self, maps: Mapping[int, torch.Tensor]) -> torch.Tensor:
        out: torch.Tensor | None = None
        for index in reversed(range(len(self.strides))):
            here = self.norm[index](self.side[index](maps[self.strides[index]]))
            if out is not None:
                here = here + functional.interpolate(out, size=here.shape[2:], mode="nearest")
            out = functional.relu(here)
        assert out is not None
        return out


class BoxHead(nn.Module):
    """Centre net at stride 8: a heat map for each label and the distances left, top, right, bottom in
    strides.

    Two convolutions; width 64. Heat maps start at a probability of 0.02, so that the first steps are calm.
    """

    def __init__(self, n_labels: int, width: int = WIDTH) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.mix = TopDown(BOX_STRIDES, width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.out = nn.Conv2d(width, n_labels + 4, 3, padding=1)
        nn.init.constant_(self.out.bias[:n_labels], -3.9)
        nn.init.constant_(self.out.bias[n_labels:], 0.7)

    def forward(self, maps: Mapping[int, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        x = functional.relu(self.norm(self.conv(self.mix(maps))))
        x = self.out(x)
        return x[:, : self.n_labels], torch.exp(x[:, self.n_labels :].clamp(-4, 5))


class MaskHead(nn.Module):
    """Decoder at stride 4: logits of background and each label."""

    def __init__(self, n_labels: int, width: int = WIDTH) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.mix = TopDown(MASK_STRIDES, width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.out = nn.Conv2d(width, n_labels + 1, 1)

    def forward(self, maps: Mapping[int, torch.Tensor]) -> torch.Tensor:
        return self.out(functional.relu(self.norm(self.conv(self.mix(maps)))))


def state_of(net: nn.Module) -> dict[str, NDArray[Any]]:
    """Weights as little-endian float32 arrays, for `prelabel.core.artefact`."""
    return {
        name: np.ascontiguousarray(tensor.detach().cpu().float().numpy().astype("<f4"))
        for name, tensor in net.state_dict().items()
    }


def shapes_of(net: nn.Module) -> dict[str, tuple[int | None, ...]]:
    """What a stored file must hold to fit this net."""
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def load_state(net: nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Puts arrays that went through `artefact.unpack` into the net."""
    net.load_state_dict(
        {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}, strict=True
    )
