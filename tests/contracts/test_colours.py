"""The palette and the tokens hold what they promise, measured: contrast on every theme, label colours apart
for normal, deuteranope and protanope eyes.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from annotator.core.colours import LABEL_COLOURS, label_colour

SHEET = Path(__file__).resolve().parents[2] / "static/workbench/src/styles/tokens.css"
# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear sRGB.
DEUTAN = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
PROTAN = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
# Ottosson 2020, OKLab from linear sRGB; 0.02 is about what a normal eye just tells apart.
LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2: (lighter + 0.05) / (darker + 0.05)."""
    y = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (y[1] + 0.05) / (y[0] + 0.05)


def oklab(colour: str, eye: np.ndarray | None = None) -> np.ndarray:
    light = linear(colour) if eye is None else np.clip(eye @ linear(colour), 0, 1)
    return LAB @ np.cbrt(np.clip(LMS @ light, 0, None))


def themes() -> dict[str, dict[str, str]]:
    """{theme: {name: #rrggbb}} as the sheet declares them; a media query must repeat its theme exactly."""
    text = re.sub(r"/\*.*?\*/", "", SHEET.read_text(), flags=re.DOTALL)

    def block(selector: str) -> dict[str, str]:
        start = text.index(selector + " {")
        body = text[text.index("{", start) + 1 : text.index("}", start)]
        return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))

    light = block(":root")
    found = {name: light | block(f':root[data-theme="{name}"]') for name in ("dark", "contrast")}
    system = block(':root:not([data-theme="light"], [data-theme="contrast"])')
    assert {k: v for k, v in found["dark"].items() if k in system} == system, (
        "system dark differs from chosen dark"
    )
    return {"light": light, **found}


THEMES = themes()


def test_the_sheet_carries_the_palette() -> None:
    for theme in THEMES.values():
        assert tuple(theme[f"label-{n + 1}"] for n in range(24)) == LABEL_COLOURS
    assert len(set(LABEL_COLOURS)) == 24 and label_colour(24) == LABEL_COLOURS[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_labels_stand_out_from_the_background(theme: str) -> None:
    assert min(contrast(c, THEMES[theme]["bg"]) for c in LABEL_COLOURS) >= 3.0


@pytest.mark.parametrize(("eye", "least"), [(None, 0.07), (DEUTAN, 0.045), (PROTAN, 0.045)])
def test_any_two_labels_differ(eye: np.ndarray | None, least: float) -> None:
    seen = [oklab(c, eye) for c in LABEL_COLOURS]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= least


@pytest.mark.parametrize("theme", list(THEMES))
def test_text_is_readable(theme: str) -> None:
    t = THEMES[theme]
    for ground in ("bg", "bg-raised", "bg-sunken", "canvas"):
        assert contrast(t["text"], t[ground]) >= 7, ground  # AAA: label names are set in it
        for ink in ("text-quiet", "accent", "ok", "warn", "bad", "info"):
            assert contrast(t[ink], t[ground]) >= 4.5, (ink, ground)
    assert contrast(t["on-accent"], t["accent"]) >= 4.5
    for state in ("ok", "warn", "bad", "info", "accent"):
        assert contrast(t["text"], t[f"{state}-soft"]) >= 7, state
        assert contrast(t[state], t[f"{state}-soft"]) >= 4.5, state


@pytest.mark.parametrize("theme", list(THEMES))
def test_controls_have_visible_edges(theme: str) -> None:
    t = THEMES[theme]
    assert contrast(t["line-strong"], t["bg"]) >= 3 and contrast(t["focus"], t["bg"]) >= 3
