"""Draws who imports whom: packages two levels deep, as the import contracts see them, into docs/images/imports.svg.

    python bench/import_graph.py [--out docs/images/imports.svg] [--dot FILE]

Needs grimp (it comes with import-linter) and, for the picture, graphviz's `dot`; where that is not installed it says
so and ends with status 0. An arrow points from who imports to what is imported, its width follows the number of
modules; a node's number is its modules. Imports inside functions count, those for types alone do not. The picture
feeds docs/architecture.md.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
WINGS = {"annotator": "#e8f0f8", "review": "#f3ecf7", "prelabel": "#eaf5ec"}
LEFT_OUT = ("migrations",)  # they import models and nothing imports them


SINGLE = "files"  # of a wing's own folder: access.py, jobs.py …


def package_of(module: str, packages: frozenset[str]) -> str:
    """Its first two levels: `annotator.actions.steps.seats` is `annotator.actions`; single files stand together."""
    name = ".".join(module.split(".")[:2])
    return name if name in packages else f"{module.split('.')[0]}.{SINGLE}"


def arrows() -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """(modules by package, importing modules by pair of packages)."""
    import grimp

    graph = grimp.build_graph(*WINGS, exclude_type_checking_imports=True)
    inside = sorted(m for m in graph.modules if m.count(".") and m.split(".")[1] not in LEFT_OUT)
    packages = frozenset(".".join(m.split(".")[:2]) for m in inside if m.count(".") > 1)
    home = {module: package_of(module, packages) for module in inside}
    pairs: Counter[tuple[str, str]] = Counter()
    for module in inside:
        others = {home[one] for one in graph.find_modules_directly_imported_by(module) if one in home}
        pairs.update((home[module], other) for other in others - {home[module]})
    return Counter(home.values()), pairs


def drawing() -> str:
    """The graph in the language of graphviz."""
    sizes, pairs = arrows()
    lines = [
        "digraph imports {",
        '  graph [rankdir=TB, ranksep=0.6, nodesep=0.3, newrank=true, fontname="sans-serif", fontsize=14];',
        '  node [shape=box, style="rounded,filled", fillcolor=white, color="#8090a0", fontname="sans-serif",'
        " fontsize=12];",
        '  edge [color="#60708090", arrowsize=0.6];',
    ]
    for wing, colour in WINGS.items():
        lines.append(
            f'  subgraph cluster_{wing} {{ label="{wing}"; style="rounded,filled"; color="{colour}";'
        )
        for name in sorted(sizes):
            if name.startswith(f"{wing}."):
                short = "single files" if name.endswith(f".{SINGLE}") else name.split(".")[1]
                lines.append(f'    "{name}" [label="{short}\\n{sizes[name]}"];')
        lines.append("  }")
    for (start, end), n in sorted(pairs.items()):
        colour = "" if start.split(".")[0] == end.split(".")[0] else ', color="#b0506090"'
        width = min(4.0, 0.5 + n / 10)
        lines.append(
            f'  "{start}" -> "{end}" [penwidth={width:.1f}, tooltip="{start} -> {end}: {n}"{colour}];'
        )
    lines.append("}")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "imports.svg")
    parser.add_argument("--dot", type=Path, help="keep the graph's text here")
    options = parser.parse_args()
    text = drawing()
    if options.dot:
        options.dot.write_text(text, "utf-8")
    tool = shutil.which("dot")
    if tool is None:
        print("graphviz's dot is not installed (apt install graphviz): no picture was drawn")
        return 0
    made = subprocess.run([tool, "-Tsvg"], input=text, capture_output=True, text=True, check=True).stdout
    # Comments name the version of graphviz, which would change the file from machine to machine.
    kept = re.sub(r"<!--.*?-->\n?", "", made, flags=re.S)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(kept, "utf-8")
    print(f"{options.out}: {text.count('->') // 2} arrows, {len(kept):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
