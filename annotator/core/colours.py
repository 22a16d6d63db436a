"""The 24 colours that labels are given by default, in the order in which they are handed out. Pure data.

Chosen by search so that each has a contrast of 3:1 on both themes' backgrounds and any two stay apart for
normal, deuteranope and protanope eyes (tests/contracts/test_colours.py measures it). The same list stands in
static/workbench/src/styles/tokens.css as --label-1 … --label-24; the test compares them.
"""

from __future__ import annotations

LABEL_COLOURS = (
    "#b000f8",
    "#20a800",
    "#586868",
    "#d07890",
    "#a880d8",
    "#c020b0",
    "#808858",
    "#806000",
    "#d80010",
    "#f86000",
    "#c81070",
    "#007840",
    "#f85068",
    "#907098",
    "#5860a8",
    "#00a080",
    "#e858c0",
    "#8838d8",
    "#e040f8",
    "#1898b8",
    "#a858d0",
    "#6880f0",
    "#a04090",
    "#b04848",
)


def label_colour(position: int) -> str:
    """The colour of the label at this position (0 first); starts again after the last."""
    return LABEL_COLOURS[position % len(LABEL_COLOURS)]
