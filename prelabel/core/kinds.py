"""The kinds of model, and how many accepted items each needs before it may propose. Plain data, safe in the
web process."""

from __future__ import annotations

KINDS = ("boxes", "masks", "text_class")
MINIMUM = {"boxes": 20, "masks": 20, "text_class": 30}
"""Below these numbers of labelled items nothing is proposed: it would be noise that people have to clear
away."""
SHAPES: dict[str, tuple[str, ...]] = {"boxes": ("box",), "masks": ("mask", "polygon"), "text_class": ()}
"""Shapes a kind learns from and draws; none for one that answers a choice."""
