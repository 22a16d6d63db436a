"""What one training run needs and how it reports: settings, progress, stopping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prelabel.core.samples import Cancelled, never, silent
from prelabel.nets.features import FeatureCache

if TYPE_CHECKING:
    import torch

    from prelabel.nets.encoder import Encoder


@dataclass(frozen=True)
class Setting:
    """Everything a trainer reads besides its examples. steps and size: None = chosen by the data."""

    cache: FeatureCache
    device: torch.device | None = None
    encoder: Encoder | None = None
    seed: int = 0
    steps: int | None = None
    size: int | None = None


class Watch:
    """Counts steps for the progress callback and asks the cancel callback at each of them."""

    def __init__(
        self,
        progress: Callable[[int, int, str], None] = silent,
        cancelled: Callable[[], bool] = never,
    ) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self.done = 0
        self.total = 0

    def plan(self, steps: int) -> None:
        self.total += steps

    def step(self, message: str) -> None:
        self.done += 1
        self._progress(min(self.done, self.total), self.total, message)
        self.check()

    def check(self) -> None:
        if self._cancelled():
            raise Cancelled
