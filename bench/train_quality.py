"""Trains the three kinds on real labelled sets and prints what the holdout says. Never part of the tests.

    python bench/train_quality.py DATA_FOLDER [--only bccd,sms] [--limit 60] [--seeds 1] [--cache FOLDER]

DATA_FOLDER holds the sets as sub-folders; a set that is not there is skipped and named.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from prelabel.core.samples import Example, Picture, Sample, Target  # noqa: E402
from prelabel.nets.features import FeatureCache  # noqa: E402


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def picture(path: Path) -> Picture:
    from PIL import Image

    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


def voc(folder: Path, pictures: str, notes: str, limit: int) -> Iterator[Example]:
    """Pascal VOC files beside pictures."""
    for path in sorted((folder / notes).rglob("*.xml"))[:limit]:
        root = ElementTree.parse(path).getroot()
        name = root.findtext("filename") or ""
        image = next(
            (p for p in (folder / pictures).iterdir() if p.stem in (path.stem, Path(name).stem)), None
        )
        if image is None:
            continue
        boxes = []
        for entry in root.iter("object"):
            box = entry.find("bndbox")
            if box is None:
                continue
            x0, y0, x1, y1 = (float(box.findtext(key) or 0) for key in ("xmin", "ymin", "xmax", "ymax"))
            if x1 > x0 and y1 > y0:
                boxes.append((entry.findtext("name") or "", x0 - 1, y0 - 1, x1, y1))
        sample = Sample(path.stem, partial(picture, image), sha256_of(image))
        yield Example(sample, Target(boxes=tuple(boxes)), path.stem)


def superalloy(folder: Path, limit: int) -> Iterator[Example]:
    """Four quarters of each micrograph; red and blue paint are the two classes."""

    def quarter(path: Path, index: int) -> Picture:
        whole = picture(path)
        height, width = whole.shape[0] // 2, whole.shape[1] // 2
        y, x = (index // 2) * height, (index % 2) * width
        return np.ascontiguousarray(whole[y : y + height, x : x + width])

    def rasters(path: Path, index: int) -> dict[str, np.ndarray]:
        paint = quarter(path, index).astype(int)
        red = (paint[..., 0] > paint[..., 1] + 60) & (paint[..., 0] > paint[..., 2] + 60)
        blue = (paint[..., 2] > paint[..., 0] + 60) & (paint[..., 2] > paint[..., 1] + 60)
        return {"red": red, "blue": blue}

    for image in sorted((folder / "images").iterdir())[:limit]:
        mask = folder / "masks" / image.name
        if not mask.is_file():
            continue
        for index in range(4):
            sample = Sample(
                f"{image.stem}-{index}", partial(quarter, image, index), sha256_of(image)[:-1] + str(index)
            )
            yield Example(sample, Target(rasters=partial(rasters, mask, index)), image.stem)


def table(path: Path, text: int, answer: int, limit: int) -> Iterator[Example]:
    with path.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)):
            if number >= limit:
                return
            if len(row) > max(text, answer):
                yield Example(
                    Sample(str(number), text=row[text]), Target(answers={"class": row[answer]}), str(number)
                )


SETS: dict[str, tuple[str, str, Callable[[Path, int], Iterator[Example]]]] = {
    "bccd": ("bccd", "boxes", lambda f, n: voc(f, "JPEGImages", "Annotations", n)),
    "raccoon": ("raccoon", "boxes", lambda f, n: voc(f, "images", "annotations", n)),
    "superalloy": ("nasa-superalloy-masks", "masks", superalloy),
    "sms": ("sms-spam-en", "text_class", lambda f, n: table(f / "sms.tsv", 1, 0, n)),
    "news": ("cls-zh-news-titles", "text_class", lambda f, n: table(f / "titles.tsv", 0, 1, n)),
}


def main() -> None:
    from prelabel.training.train import train

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = FeatureCache(arguments.cache or Path(scratch))
        print(
            f"{'set':<12}{'kind':<12}{'items':>6}{'train':>7}{'hold':>6}  {'measure':<10}{'value':>7}{'n':>6}"
            f"{'CPU s':>8}{'wall s':>8}  note"
        )
        for name in arguments.only.split(","):
            folder_name, kind, read = SETS[name]
            folder = arguments.data / folder_name
            if not folder.is_dir():
                print(f"{name:<12}skipped: {folder} is not there")
                continue
            examples = list(read(folder, arguments.limit))
            for seed in range(arguments.seeds):
                wall, cpu = time.monotonic(), time.process_time()
                control = "class" if kind == "text_class" else None
                trained = train(
                    kind, examples, cache=cache, control=control, seed=seed, split_seed=str(seed), minimum=8
                )
                m, score = trained.metrics, trained.metrics["score"]
                note = {
                    k: m[k] for k in ("size", "steps", "n_tiles", "each", "majority", "threshold") if k in m
                }
                print(
                    f"{name:<12}{kind:<12}{len(examples):>6}{m['n_train']:>7}{m['n_holdout']:>6}"
                    f"  {score['measure']:<10}{score['value']:>7.3f}{score['n']:>6}"
                    f"{time.process_time() - cpu:>8.1f}{time.monotonic() - wall:>8.1f}"
                    f"  {note} {len(trained.artefact) // 1024} kB",
                    flush=True,
                )
    print(f"cores: {len(os.sched_getaffinity(0))}, load: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
