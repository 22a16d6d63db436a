"""Sampling plans, one file each. A plan says how many are drawn, when a lot is accepted, and what that
buys."""

from __future__ import annotations

from types import ModuleType

from review.core.sampling import fixed_fraction

PLANS: dict[str, ModuleType] = {fixed_fraction.ID: fixed_fraction}
"""By versioned id. A lot keeps its plan's id and parameters: a later version never re-judges it."""
