"""The import contracts of pyproject.toml hold, and each of them complains when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]

# (start of the contract's name, file to plant, its text, the import that the complaint names). Packages that
# do not exist yet are made in the copy.
SINS = [
    ("annotator knows neither", "annotator/queries/toy_upward.py", "import review.core", "review"),
    ("review and prelabel do not", "review/toy_side.py", "def call():\n    import prelabel.core", "prelabel"),
    ("the cores are pure", "annotator/core/toy_frame.py", "from django.db import models", "django"),
    ("the cores are pure", "review/core/toy_door.py", "import annotator.models", "annotator.models"),
    (
        "layers inside annotator",
        "annotator/models/toy_climb.py",
        "import annotator.actions.toy_verb",
        "actions",
    ),
    ("layers inside annotator", "annotator/queries/toy_door.py", "import annotator.api.toy", "annotator.api"),
    (
        "layers inside review",
        "review/models/toy_climb.py",
        "import review.actions.toy_verb",
        "review.actions",
    ),
    ("torch only in", "prelabel/queries/toy_heavy.py", "def call():\n    import torch", "torch"),
    (
        "what joins the three",
        "annotator/pages/toy_site.py",
        "import annotator.site.urls",
        "annotator.site.urls",
    ),
    ("reads of the upper", "review/queries/toy_read.py", "import annotator.actions.toy_verb", "toy_verb"),
    (
        "verbs do not call verbs",
        "annotator/actions/toy_verb.py",
        "import annotator.actions.toy_other",
        "toy_other",
    ),
    (
        "verbs do not call verbs",
        "prelabel/actions/toy_verb.py",
        "import prelabel.actions.toy_other",
        "toy_other",
    ),
]
ALSO = ["annotator/actions/toy_other.py", "annotator/api/toy.py", "review/actions/toy_verb.py",
        "prelabel/actions/toy_other.py"]  # fmt: skip


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as run; run()",
    ]
    return subprocess.run([*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def verdicts(output: str) -> dict[str, str]:
    """Contract name -> KEPT or BROKEN. The printer wraps long names, so blanks do not count."""
    squeezed = "".join(output.split("Broken contracts")[0].split())
    found = {}
    for name in CONTRACTS:
        rest = squeezed.partition("".join(name.split()))[2]
        found[name] = (
            "KEPT" if rest.startswith("KEPT") else "BROKEN" if rest.startswith("BROKEN") else "missing"
        )
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    for wing in ("annotator", "review", "prelabel"):
        shutil.copytree(ROOT / wing, folder / wing, ignore=lambda _, names: [
            name for name in names if "." in name and not name.endswith(".py")
        ])  # fmt: skip
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_house_keeps_its_contracts() -> None:
    done = lint(ROOT)
    assert set(verdicts(done.stdout).values()) == {"KEPT"}, done.stdout
    assert done.returncode == 0


def test_each_contract_complains_when_it_is_broken(copy: Path) -> None:
    for _, file, text, _ in [*SINS, *(("", name, "", "") for name in ALSO)]:
        target = copy / file
        if not target.exists():
            for folder in [target.parent, *target.parent.parents]:
                if folder == copy:
                    break
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "__init__.py").touch()
            target.write_text(text + "\n")
    done = lint(copy)
    assert done.returncode == 1
    assert set(verdicts(done.stdout).values()) == {"BROKEN"}, done.stdout
    complaints = done.stdout.partition("Broken contracts")[2]
    for contract, file, _, named in SINS:
        module = file.removesuffix(".py").replace("/", ".")
        assert module in complaints and named in complaints, (
            f"{contract}: nothing is said of {module}\n{complaints}"
        )


def test_every_contract_is_broken_by_some_sin() -> None:
    for name in CONTRACTS:
        assert any(name.startswith(start) for start, *_ in SINS), f"no test breaks: {name}"
