"""Where files lie: in a checkout, in an installed wheel, and in the data folder.

Standard library only, so that the bootstrap script, the supervisor and the settings can all use it.
A wheel carries what a checkout keeps outside the packages (templates, built bundles, demo texts) under
`annotator/shipped/`; setup.py maps it there. Functions never create anything but `data_folder(create=True)`.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SHIPPED = PACKAGE / "shipped"


def checkout() -> Path | None:
    """The root of the checkout this code runs from, or None when it runs from an installed wheel."""
    root = PACKAGE.parent
    return root if (root / "concord.py").is_file() and (root / "pyproject.toml").is_file() else None


def _either(in_checkout: str, in_wheel: str) -> Path:
    root = checkout()
    return root / in_checkout if root is not None else SHIPPED / in_wheel


def templates() -> Path:
    return _either("templates", "templates")


def static_dist() -> Path:
    """The built bundles. The TypeScript sources beside them are never served."""
    return _either("static/dist", "dist")


def static_assets() -> Path:
    return _either("static/assets", "assets")


def demo() -> Path:
    return _either("fixtures/demo", "demo")


def static_roots() -> list[Path]:
    """Folders that static files are served from, those that exist."""
    return [path for path in (static_dist(), static_assets()) if path.is_dir()]


def data_folder(*, create: bool = False) -> Path:
    """CONCORD_DATA, by default ~/.local/share/concord (XDG_DATA_HOME counts). Never inside the checkout."""
    named = os.environ.get("CONCORD_DATA", "").strip()
    if named:
        folder = Path(named).expanduser()
    else:
        base = os.environ.get("XDG_DATA_HOME", "").strip()
        folder = (Path(base) if base else Path.home() / ".local" / "share") / "concord"
    folder = Path(os.path.abspath(folder))
    root = checkout()
    if root is not None and (folder == root or root in folder.parents):
        raise RuntimeError(f"CONCORD_DATA is {folder}, inside the source tree; choose a folder outside it")
    if create:
        for part in (folder, folder / "run", folder / "logs"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
