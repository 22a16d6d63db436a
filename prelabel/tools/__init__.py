"""Interactive tools, one a file, run in the assist process. Nothing heavier than numpy is imported at module
level.

A tool module states ID ("name.v1"), PARAMETERS (tuple of `Parameter`) and
run(picture, values) -> {"shape", "geometry", ...}: picture uint8 (height, width, 3) in the stored frame.
"""

from __future__ import annotations

from typing import Any, Protocol

from annotator.core.registry import Registry
from prelabel.core.parameters import Parameter
from prelabel.core.samples import Picture


class Tool(Protocol):
    """What a tool module offers."""

    ID: str
    TITLE: str
    PARAMETERS: tuple[Parameter, ...]

    @staticmethod
    def run(picture: Picture, values: dict[str, Any]) -> dict[str, Any]: ...


TOOLS: Registry[Tool] = Registry("prelabel.tools")
