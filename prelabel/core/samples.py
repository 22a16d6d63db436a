"""What goes into a rule or model (Sample, Example) and what comes out (Proposal). Pure; pictures are loaded
late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""uint8, shape (height, width, 3), RGB, stored frame (no EXIF turn: the frame in which regions are kept)."""

Raster = NDArray[np.bool_]
"""bool, shape (height, width)."""


@dataclass(frozen=True)
class Sample:
    """One item as a rule or a model sees it: a picture or a text, nothing else of the item."""

    key: str
    picture: Callable[[], Picture] | None = None
    sha256: str = ""
    text: str | None = None


@dataclass(frozen=True)
class Target:
    """What people agreed for one item, in the form that trainers read."""

    boxes: tuple[tuple[str, float, float, float, float], ...] = ()
    """(label, x0, y0, x1, y1) in image pixels."""
    rasters: Callable[[], Mapping[str, Raster]] | None = None
    """label -> pixels of that label; loaded late, because masks are large."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """choice control -> option."""


@dataclass(frozen=True)
class Example:
    """A sample with its accepted answer. `group` is what must not be split between training and holdout."""

    sample: Sample
    target: Target
    group: str
    exposed: bool = False
    """True when a prelabel was shown to somebody who labelled it: its score is then flattering."""


@dataclass
class Proposal:
    """Regions in prelabel form (no ids, no asset) and answers for one sample, with what was dropped and why.

    A mask region carries geometry {"raster": bool array}; the writer cuts it into tiles.
    score: 0..1, how sure the whole proposal is (mean of its parts); None when it proposes nothing.
    """

    regions: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    score: float | None = None
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def empty(self) -> bool:
        return not self.regions and not self.answers


class Cancelled(Exception):
    """Raised out of a long run when its cancel callback says stop."""


def never() -> bool:
    """The cancel callback of a run that nobody can cancel."""
    return False


def silent(done: int, total: int, message: str) -> None:
    """The progress callback of a run that nobody watches."""
