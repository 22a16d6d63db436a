"""Measures of agreement of a pair of annotations, one file each, found by their versioned id.

A measure's file has ID, TITLE and `measure(pair, label=None, *, parts)`, which answers a value with its n, or
Undefined with its reason. `label` restricts it to regions of one label (either side). Measures read the
pair's one matching: none of them matches by itself.
"""

from __future__ import annotations

from types import ModuleType

from annotator.core.registry import Registry

MEASURES: Registry[ModuleType] = Registry("review.core.agreement")
