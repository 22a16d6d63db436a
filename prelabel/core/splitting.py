"""Which accepted items train and which judge: 20 % by group, by a hash that depends on nothing else. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from prelabel.core.samples import Example

HOLDOUT_SHARE = 0.2


def split(
    examples: Sequence[Example], seed: str, share: float = HOLDOUT_SHARE
) -> tuple[list[Example], list[Example]]:
    """(training, holdout). Groups are never split; the groups with the smallest hashes judge.

    The same seed keeps nearly the same groups in the holdout while the project grows, so that an older
    version of a model
    can be judged on pictures it never saw. Fewer than two groups: everything trains and the holdout is empty.
    """
    groups = sorted({example.group for example in examples}, key=lambda group: _rank(seed, group))
    if len(groups) < 2:
        return list(examples), []
    n = min(len(groups) - 1, max(1, math.ceil(share * len(groups))))
    judges = set(groups[:n])
    return (
        [example for example in examples if example.group not in judges],
        [example for example in examples if example.group in judges],
    )


def _rank(seed: str, group: str) -> str:
    return hashlib.sha256(f"{seed}\x00{group}".encode()).hexdigest()
