"""Kinds of differences, one file each: how a kind is found, decided (as changes of the document), and undone.

A kind's file has KIND, ORDER (in which the questions about one object are applied), LEVEL ("region" or
"document"), TITLE (what the question is called), `find(case)` and `apply(document, difference, decision,
sides)`, which answers with changes in the one change grammar; undoing a decision is their inverse. `relation`
is a reserved name: documents have no relations yet.
"""

from __future__ import annotations

from types import ModuleType

from annotator.core.registry import Registry
from review.core.differences._model import Case, Difference, Group

KINDS: Registry[ModuleType] = Registry("review.core.differences")
RESERVED = ("relation",)


def in_order() -> list[ModuleType]:
    """All kinds in the order in which their decisions are applied."""
    return sorted((module for _, module in KINDS.items()), key=lambda module: (module.ORDER, module.KIND))


__all__ = ["KINDS", "RESERVED", "Case", "Difference", "Group", "in_order"]
