"""What the demo is made of: real pictures out of installed packages, messages and schemas from files.

Imports numpy and Pillow inside functions; touches neither the database nor the network.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotator import places


@dataclass(frozen=True)
class DemoPicture:
    """One picture of the demo: a PNG, where it comes from, and which pictures belong together."""

    name: str
    data: bytes
    group: str
    about: str


def read(name: str) -> Any:
    """One JSON file of fixtures/demo."""
    return json.loads((places.demo() / name).read_text("utf-8"))


def messages() -> list[dict[str, Any]]:
    """Import rows of the text project: short messages in Chinese and English, written for this demo."""
    lines = (places.demo() / "messages.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def pictures() -> Iterator[DemoPicture]:
    """Cut the windows of fixtures/demo/pictures.json out of the packages' pictures, in the file's order.

    PNG without times or texts inside, so that the same packages give the same bytes.
    """
    import numpy as np
    from PIL import Image

    sources: dict[str, Any] = {}
    for entry in read("pictures.json")["pictures"]:
        name = entry["source"]
        if name not in sources:
            sources[name] = np.asarray(_open(name))
        y0, x0, height, width = entry["window"]
        cut = sources[name][y0 : y0 + height, x0 : x0 + width]
        picture = Image.fromarray(cut)
        if entry["scale"] != 1:
            picture = picture.resize(
                (width * entry["scale"], height * entry["scale"]), Image.Resampling.BICUBIC
            )
        out = io.BytesIO()
        picture.save(out, "PNG", compress_level=4)
        yield DemoPicture(entry["name"], out.getvalue(), entry["group"], entry["about"])


# Where the packages keep them. They are opened as files: importing the packages would take seconds.
FOLDERS = {"skimage": ("skimage", "data"), "sklearn": ("sklearn", "datasets/images")}


def _open(source: str) -> Any:
    from importlib.util import find_spec

    from PIL import Image

    package, folder = FOLDERS[source.partition(":")[0]]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package}, which brings pictures for the demo, is not installed")
    return Image.open(Path(spec.submodule_search_locations[0]) / folder / source.partition(":")[2])
