"""What the text rules share: spans out of matches, overlaps settled, the longest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def settle(text: str, matches: Iterable[tuple[int, int, str]], score: float) -> list[dict[str, Any]]:
    """Non-overlapping spans in text order: the longer wins, then the earlier, then the label's name."""
    taken: list[tuple[int, int, str]] = []
    for start, end, label in sorted(
        set(matches), key=lambda match: (match[0] - match[1], match[0], match[2])
    ):
        if all(end <= other_start or start >= other_end for other_start, other_end, _label in taken):
            taken.append((start, end, label))
    return [
        {
            "shape": "span",
            "label": label,
            "geometry": {"start": start, "end": end, "quote": text[start:end]},
            "score": score,
        }
        for start, end, label in sorted(taken)
    ]
