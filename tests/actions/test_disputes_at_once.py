"""Two at the same moment: claims of a dispute, verdicts, check outcomes, judgements, freezes, comparing
workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.concurrency.postgres import database

ROOT = Path(__file__).resolve().parent.parent.parent


def judge(data: Path, url: str = "") -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.actions.judges"],
        cwd=ROOT,
        env=os.environ | {"CONCORD_DATA": str(data), "CONCORD_DATABASE": url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert len(done.stdout.split()) == 4


def test_judges_at_the_same_moment(tmp_path: Path) -> None:
    judge(tmp_path)


@pytest.mark.postgres
def test_judges_at_the_same_moment_on_postgres(tmp_path: Path) -> None:
    with database() as url:
        judge(tmp_path, url)
