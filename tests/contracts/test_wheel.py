"""A wheel holds what a checkout holds: built, installed into an empty folder, started, it opens a page."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What the fixtures of this module make costs seconds: once, so one process runs all its tests.
pytestmark = pytest.mark.xdist_group("wheel")
LEFT_OUT = (
    ".git",
    ".venv",
    "node_modules",
    "build",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that setuptools leaves nothing behind in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("uv is not installed, so no wheel can be built here")
    build = [str(uv), "build", "--wheel", "--out-dir", str(folder / "out"), "--python", sys.executable]
    done = subprocess.run([*build, str(copy)], capture_output=True, text=True, check=False)
    if (
        done.returncode
        and "setuptools" in done.stderr
        and ("network" in done.stderr or "resolve" in done.stderr)
    ):
        pytest.skip(f"the build needs a package registry: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return next((folder / "out").glob("*.whl"))


@pytest.mark.long
def test_the_wheel_holds_bundles_templates_and_demo_but_no_sources(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("shipped/dist/", "shipped/templates/", "shipped/demo/messages.jsonl", "migrations/0001"):
        assert any(part in name for name in names), part
    assert not [
        name for name in names if name.endswith((".ts", ".map")) or name.startswith(("tests/", "bench/"))
    ]


@pytest.mark.long
def test_an_installed_wheel_starts_and_opens_a_page(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [str(uv), "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)], check=True
    )
    environment = {
        **{key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
        "PYTHONPATH": str(target),
        "CONCORD_DATA": str(tmp_path / "data"),
        "CONCORD_FAST_PASSWORDS": "1",
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "annotator.cli", "run", "--no-model", "--port", "0"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = []
    watch = threading.Timer(
        120, started.terminate
    )  # a site that never answers ends the test, not the patience
    watch.start()
    try:
        assert started.stdout is not None
        url = ""
        for line in started.stdout:
            lines.append(line)
            if "ready: http" in line:
                url = line.split("ready: ")[1].strip()
                break
        assert url, "".join(lines)
        host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
        for path, wanted in (("/sign-in", b"<form"), ("/static/bench.js", b"")):
            client = http.client.HTTPConnection(host, int(port), timeout=20)
            client.request("GET", path)
            answer = client.getresponse()
            body = answer.read()
            client.close()
            assert answer.status == 200 and wanted in body, (path, answer.status)
    finally:
        watch.cancel()
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=30)
    assert started.returncode == 0
