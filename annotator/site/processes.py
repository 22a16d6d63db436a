"""Processes that an upper wing brings; the supervisor starts them without knowing the wing. No packages."""

from __future__ import annotations

import sys
from pathlib import Path


def assist(data: Path) -> list[str]:
    """The interactive tools' process: no Django in it, so that it is up within the first click's patience."""
    return [sys.executable, "-m", "prelabel.serve.assist", str(data)]
