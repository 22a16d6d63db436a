"""The one-command script: its locks, its stamps, what it says. Nothing is installed here."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("concord_script", ROOT / "concord.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9_.-]+)==([^ ;]+)", line):
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), set()).add(match[2])
    return found


def test_locks_hold_every_pin_of_the_project_and_nothing_of_cuda() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"requirements.lock": project["dependencies"]}
    groups |= {
        f"requirements-{extra}.lock": project["optional-dependencies"][extra]
        for extra in ("build", "test", "model")
    }
    base = pins("requirements.lock")
    seen: dict[str, set[str]] = {}
    for lock, wanted in groups.items():
        locked = pins(lock)
        for name, versions in locked.items():
            assert seen.setdefault(name, versions) == versions, f"{name} differs between the locks"
        for requirement in wanted:
            match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ ;]+)", requirement)
            assert match, f"{requirement} is not pinned"
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            assert (locked.get(name) or base.get(name)) == {match[2]}, f"{lock} is out of date: {requirement}"
        assert not [name for name in locked if name.startswith(("nvidia-", "cuda-", "triton"))]
        if lock != "requirements.lock":
            assert (ROOT / lock).read_text().startswith("-r requirements.lock\n")


def test_it_runs_without_any_package_and_lists_its_verbs() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "concord.py"), "help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for verb in (
        "run",
        "test",
        "test-all",
        "backup",
        "restore",
        "verify",
        "owner",
        "lock",
        "messages",
        "shots",
    ):
        assert re.search(rf"^  {verb} ", done.stdout, re.M), verb


def test_an_unknown_verb_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "concord.py"), "fly"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "unknown verb" in done.stdout


def test_a_stamp_changes_with_content_and_names_but_not_with_generated_files(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "GENERATED", ("src/generated",))
    (tmp_path / "src" / "generated").mkdir(parents=True)
    (tmp_path / "src" / "a.ts").write_text("a")
    first = script.digest_of(["src"])
    (tmp_path / "src" / "generated" / "kinds.ts").write_text("made")
    assert script.digest_of(["src"]) == first
    (tmp_path / "src" / "a.ts").rename(tmp_path / "src" / "b.ts")
    second = script.digest_of(["src"])
    assert second != first
    (tmp_path / "src" / "b.ts").write_text("b")
    assert script.digest_of(["src"]) not in (first, second)


def test_torch_comes_first_by_pip_and_the_index_is_handed_on(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(script, "pip_install", lambda arguments, what: asked.append(list(arguments)))
    monkeypatch.delenv("CONCORD_TORCH_INDEX", raising=False)
    script.install_torch()
    monkeypatch.setenv("CONCORD_TORCH_INDEX", "file:///somewhere")
    script.install_torch()
    assert asked[0][0].startswith("torch==") and len(asked[0]) == 1
    assert asked[1] == ["--extra-index-url", "file:///somewhere", asked[0][0]]


def test_pip_does_what_uv_could_not(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def broken() -> Path:
        raise script.Stop("no uv for this machine")

    monkeypatch.setattr(script, "ensure_uv", broken)
    monkeypatch.setattr(script, "pip_index", lambda: "")
    monkeypatch.setattr(script, "pip_install", lambda arguments, what: asked.append(list(arguments)))
    script.install_locked(["-r", "requirements.lock"], "requirements.lock")
    assert asked == [["-r", "requirements.lock"]]


def test_the_counts_of_the_runner_are_a_sum_and_one_failure_fails(script: ModuleType, tmp_path: Path) -> None:
    tally = script.Tally()
    code, _ = script.step(tally, "a step", [sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ))
    assert code == 3 and tally.broken == ["a step"]
    tally.add(3, 0, 1)
    tally.add(2, 1, 0)
    assert (tally.passed, tally.failed, tally.skipped) == (5, 1, 1)


def test_continuous_integration_calls_the_readmes_command() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    command = "python3 concord.py test"
    assert command in run.read_text()
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text("utf-8")
        assert command in text and "python3 concord.py run" in text, readme
        assert "CONCORD_TORCH_INDEX" in text
    assert subprocess.run(["bash", "-n", str(run)], check=False).returncode == 0


def test_licence_is_apache() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"


def test_the_data_folder_is_never_in_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator import places

    monkeypatch.setenv("CONCORD_DATA", str(ROOT / "data"))
    with pytest.raises(RuntimeError, match="inside the source tree"):
        places.data_folder()
    monkeypatch.setenv("CONCORD_DATA", "")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere/else")
    assert places.data_folder() == Path("/somewhere/else/concord")


@pytest.mark.xdist_group("together")
def test_tests_of_one_group_stay_in_one_process(request: pytest.FixtureRequest) -> None:
    """xdist reads the group off the end of a test's name; a pytest with other names would ignore it in silence."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not run by several processes in groups")
    assert request.node.nodeid.endswith("@together")
