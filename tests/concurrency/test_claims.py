"""Many people press "next" at once: nobody gets a taken seat, nobody twice, nothing is left over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.concurrency.postgres import database

ROOT = Path(__file__).resolve().parent.parent.parent


def empty_the_queue(tmp_path: Path, people: int, tasks: int, slots: int, url: str = "") -> dict:
    env = os.environ | {"CONCORD_DATA": str(tmp_path), "CONCORD_DATABASE": url}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.concurrency.claimers",
            "--people",
            str(people),
            "--tasks",
            str(tasks),
            "--slots",
            str(slots),
        ],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.stdout, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, result
    assert result["handed_out"] == result["wanted"]
    return result


@pytest.mark.parametrize("slots", [1, 2])
def test_sixteen_people_on_sqlite(tmp_path: Path, slots: int) -> None:
    empty_the_queue(tmp_path, 16, 60, slots)


@pytest.mark.postgres
def test_sixteen_people_on_postgres(tmp_path: Path) -> None:
    with database() as url:
        empty_the_queue(tmp_path, 16, 60, 2, url)


@pytest.mark.long
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_twenty_thousand_on_sqlite(tmp_path: Path, slots: int) -> None:
    result = empty_the_queue(tmp_path, 64, 3400, slots)
    print(result)


@pytest.mark.long
@pytest.mark.postgres
def test_sixty_four_on_postgres(tmp_path: Path) -> None:
    with database() as url:
        print(empty_the_queue(tmp_path, 64, 1000, 2, url))
