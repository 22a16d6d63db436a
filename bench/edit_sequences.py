"""Random edit sequences through Python and Node: both, and the stored checkpoints, must agree by digest.

    python bench/edit_sequences.py --count 100000 [--seed 0] [--node node]

Python applies each sequence save by save, keeps a checkpoint each 50 saves as the server does, rebuilds
the last revision from the latest checkpoint, and undoes all; Node applies the same lines by the
workbench's own code. Exit status 0 only when every digest agrees.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from annotator.core import canonical, changes  # noqa: E402
from tests.unit.core.sequences import sequence  # noqa: E402

CHECKPOINT_EVERY = 50
NODE_SIDE = ROOT / "static" / "workbench" / "test" / "sequences.ts"


def server_digest(line: dict[str, Any]) -> str:
    """Digest after all saves, applied one by one; raises where checkpoint and rebuild or the undo
    disagree."""
    start = line["document"]
    document, checkpoint, since = start, start, []
    for number, steps in enumerate(line["changes"], start=1):
        changes.parse_changes(steps)
        document = changes.apply(document, steps)
        since.append(steps)
        if number % CHECKPOINT_EVERY == 0:
            checkpoint, since = canonical.strict_loads(canonical.canonical(document)), []
    found = canonical.digest(document)
    if canonical.digest(changes.rebuild(checkpoint, since)) != found:
        raise AssertionError("the checkpoint and the changes after it give another document")
    for steps in reversed(line["changes"]):
        document = changes.apply(document, changes.invert(steps))
    if canonical.digest(document) != canonical.digest(start):
        raise AssertionError("undoing all does not give the first document")
    return found


def compare(count: int, seed: int, node: str) -> dict[str, Any]:
    process = subprocess.Popen(
        [node, "--disable-warning=ExperimentalWarning", str(NODE_SIDE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert process.stdin is not None and process.stdout is not None
    mine: list[str] = []
    failed: list[str] = []

    def feed(pipe: IO[str]) -> None:
        try:
            for number in range(seed, seed + count):
                # every 500th session is long enough to cross a checkpoint
                line = sequence(number, saves=60 if number % 500 == 0 else None)
                mine.append(server_digest(line))
                pipe.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
        except Exception as error:  # told by the caller, with the seed that made it
            failed.append(f"seed {seed + len(mine)}: {error!r}")
        finally:
            pipe.close()

    began = time.perf_counter()
    feeder = threading.Thread(target=feed, args=(process.stdin,))
    feeder.start()
    theirs = [line.strip() for line in process.stdout]
    feeder.join()
    process.wait()
    differing = [seed + at for at, (one, other) in enumerate(zip(mine, theirs, strict=False)) if one != other]
    return {
        "sequences": len(mine),
        "answered": len(theirs),
        "differing": len(differing),
        "first_seeds": differing[:5],
        "failed": failed,
        "node_status": process.returncode,
        "seconds": round(time.perf_counter() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--node", default=str(ROOT / ".venv" / "bin" / "node"))
    options = parser.parse_args()
    result = compare(options.count, options.seed, options.node)
    print(json.dumps(result))
    good = not result["failed"] and not result["differing"] and result["node_status"] == 0
    return 0 if good and result["answered"] == result["sequences"] == options.count else 1


if __name__ == "__main__":
    sys.exit(main())
