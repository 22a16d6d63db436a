"""Compile the translation catalogues with Babel: `python -m annotator.catalogue compile`.

Django's own command calls a system program that a bare machine lacks. Needs Babel, no Django.
"""

from __future__ import annotations

import sys
from pathlib import Path

LOCALE = Path(__file__).resolve().parent / "locale"


def compile_all(folder: Path = LOCALE) -> list[Path]:
    """Write a .mo beside each .po that is newer; fuzzy entries are left out, as gettext does."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    written = []
    for source in sorted(folder.rglob("*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with open(source, "rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name, abort_invalid=True)
        part = target.with_suffix(".mo.part")
        with open(part, "wb") as out:
            write_mo(out, catalogue)
        part.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    if sys.argv[1:] != ["compile"]:
        sys.exit("usage: python -m annotator.catalogue compile")
    for path in compile_all():
        print(path)
