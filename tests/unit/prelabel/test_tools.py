"""The interactive tools on real pictures, by contract and by overlap."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.core import masks
from annotator.core.errors import Invalid
from prelabel.core.outline import filled
from prelabel.core.parameters import Choices, parse
from prelabel.rules.blob import otsu
from prelabel.tools import TOOLS, click_segment


def run(picture: np.ndarray, **values: object) -> dict:
    return click_segment.run(picture, parse(click_segment.PARAMETERS, values, Choices()))


@pytest.mark.parametrize("tool_id", TOOLS.ids())
def test_contract(tool_id: str) -> None:
    tool = TOOLS.get(tool_id)
    assert tool.TITLE and tool.PARAMETERS
    values = parse(tool.PARAMETERS, {"x": 5, "y": 5}, Choices())
    first = tool.run(np.zeros((12, 12, 3), np.uint8), values)
    assert first == tool.run(np.zeros((12, 12, 3), np.uint8), values)
    assert {"shape", "geometry", "area_px", "cut"} <= set(first)


def test_one_click_on_each_coin() -> None:
    """scikit-image's 24 coins against what an evened-out threshold finds: one click, no hand-picked
    tolerance."""
    from scipy import ndimage
    from skimage import data

    coins = data.coins()
    smooth = ndimage.gaussian_filter(coins.astype(float), 2)
    even = smooth - ndimage.gaussian_filter(coins.astype(float), 40)
    parts, _n = ndimage.label(filled(even > otsu(even)))
    overlaps = []
    for rows, columns in ndimage.find_objects(parts):
        if rows.stop - rows.start < 25:
            continue
        x, y = (columns.start + columns.stop) // 2, (rows.start + rows.stop) // 2
        grown = run(np.repeat(coins[:, :, None], 3, 2), x=x, y=y)
        found = masks.rasterise(grown["geometry"]["rings"], x0_px=0, y0_px=0, width_px=384, height_px=303)
        true = parts == parts[y, x]
        overlaps.append((found & true).sum() / (found | true).sum())
    assert len(overlaps) == 24 and min(overlaps) > 0.6 and float(np.mean(overlaps)) > 0.92, overlaps


def test_a_region_that_leaves_the_window_says_so_and_a_speck_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(click_segment, "WINDOW_PX", 64)
    assert run(np.zeros((200, 200, 3), np.uint8), x=100, y=100)["cut"] is True
    assert run(np.zeros((60, 60, 3), np.uint8), x=30, y=30)["cut"] is False
    speck = np.zeros((60, 60, 3), np.uint8)
    speck[30, 30] = 255
    with pytest.raises(Invalid) as caught:
        run(speck, x=30, y=30, smooth_px=0, tolerance=5)
    assert caught.value.code == "nothing_grown"
