"""kill -9 while people work: nothing acknowledged is lost, nothing is doubled, nothing rests for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.kills import die_with_parent

ROOT = Path(__file__).resolve().parent.parent.parent


def run(kills: int, seed: int, seconds: int) -> dict:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.live.kills",
            "--kills",
            str(kills),
            "--seed",
            str(seed),
            "--max-seconds",
            str(seconds),
        ],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=seconds + 300,
        check=False,
        preexec_fn=die_with_parent,
    )
    assert done.stdout, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    print(result)
    assert done.returncode == 0, (result, done.stderr[-1000:])
    return result


def test_six_kills() -> None:
    result = run(6, 7, 60)
    assert result["acknowledged"] > 0 and sum(result["kills"].values()) >= 3


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_hundred_kills(seed: int) -> None:
    result = run(100, seed, 900)
    assert result["killed_in_flight"] >= 80
