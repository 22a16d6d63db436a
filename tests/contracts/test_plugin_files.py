"""What a core or a plug-in file may import, read from its source: no clock, no chance, nothing heavy."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORES = ("annotator/core", "review/core", "prelabel/core")
PLUGINS = (
    "annotator/shapes",
    "annotator/modalities",
    "annotator/formats",
    "review/core/agreement",
    "review/core/differences",
    "review/core/sampling",
    "review/gates",
    "prelabel/rules",
    "prelabel/strategies",
)
WINGS = ("annotator", "review", "prelabel")
# A core computes from what it is given: who calls it says what time it is and brings the seed.
CLOCK_AND_CHANCE = {"time", "random", "secrets", "uuid"}
# New ids are random by nature; this one file makes them.
MAY_DRAW = {"annotator/core/ids.py"}


def python_files(folders: tuple[str, ...]) -> list[Path]:
    return sorted({path for folder in folders for path in (ROOT / folder).rglob("*.py")})


def imports(tree: ast.AST, *, only_on_import: bool) -> Iterator[tuple[str, int]]:
    """(module, line) of each absolute import; with `only_on_import` not those inside functions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno
        if only_on_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))


def light(module: str) -> bool:
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in ("numpy", *WINGS)


@pytest.mark.parametrize(
    "path", python_files((*CORES, *PLUGINS)), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_core_or_plugin_file_imports_nothing_heavier_than_numpy_at_module_level(path: Path) -> None:
    heavy = [
        found for found in imports(ast.parse(path.read_text()), only_on_import=True) if not light(found[0])
    ]
    assert not heavy, f"import these inside the functions that need them: {heavy}"


def test_the_foundations_core_needs_only_python_and_numpy_even_inside_functions() -> None:
    for path in python_files(("annotator/core",)):
        heavy = [
            found
            for found in imports(ast.parse(path.read_text()), only_on_import=False)
            if not light(found[0])
        ]
        assert not heavy, f"{path.relative_to(ROOT)}: {heavy}"


def test_cores_know_no_clock_and_no_chance() -> None:
    for path in python_files((*CORES, "annotator/shapes")):
        if str(path.relative_to(ROOT)) in MAY_DRAW:
            continue
        tree = ast.parse(path.read_text())
        used = [found for found in imports(tree, only_on_import=False) if found[0] in CLOCK_AND_CHANCE]
        calls = [
            (ast.unparse(node.func), node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith(
                (".now", ".utcnow", ".today", "np.random.rand", "np.random.seed")
            )
        ]
        assert not used and not calls, f"{path.relative_to(ROOT)}: {used + calls}"


def test_the_rule_is_seen_to_bite() -> None:
    source = "import numpy\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
    source += "def inside():\n    import scipy.ndimage\nclass Thing:\n    import skimage\n"
    tree = ast.parse(source)
    assert [name for name, _ in imports(tree, only_on_import=True) if not light(name)] == ["skimage"]
    everything = {name for name, _ in imports(tree, only_on_import=False) if not light(name)}
    assert everything == {"scipy.ndimage", "skimage"}


def test_the_supervisor_and_the_bootstrap_script_need_only_the_standard_library() -> None:
    for name in ("concord.py", "annotator/supervisor.py", "annotator/places.py"):
        tree = ast.parse((ROOT / name).read_text())
        foreign = [found for found in imports(tree, only_on_import=False)
                   if found[0].partition(".")[0] not in sys.stdlib_module_names]  # fmt: skip
        assert not foreign, f"{name}: {foreign}"
