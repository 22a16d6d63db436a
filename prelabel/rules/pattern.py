"""pattern.v1: regular expressions in a text become spans, run in a child process that may be stopped. No
Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prelabel.core.parameters import Parameter, _
from prelabel.core.samples import Proposal, Sample
from prelabel.rules._guard import Guard, PatternTimeout, check_patterns
from prelabel.rules._spans import settle

ID = "pattern.v1"
TITLE = _("Regular expressions")
HELP = _(
    "Marks what a regular expression finds in a text. One expression a line; a group named “span” "
    "narrows the mark."
)
INPUT = "text"
SHAPES: tuple[str, ...] = ("span",)
PARAMETERS = (
    Parameter("patterns", "lines", _("Expressions of each label"), default=None, required=True),
    Parameter("ignore_case", "flag", _("Ignore upper and lower case"), default=False),
    Parameter(
        "limit_ms",
        "integer",
        _("Longest time a text may take"),
        default=1000,
        minimum=50,
        maximum=10_000,
        unit="ms",
    ),
)
MAX_TEXT = 200_000


@contextmanager
def prepare(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Callable[[Sample], Proposal]]:
    patterns = [(label, line) for label, lines in values["patterns"].items() for line in lines]
    check_patterns(patterns)
    with Guard(patterns, ignore_case=values["ignore_case"], limit_s=values["limit_ms"] / 1000) as guard:

        def apply(sample: Sample) -> Proposal:
            proposal = Proposal()
            text = sample.text or ""
            if len(text) > MAX_TEXT:
                proposal.dropped["text_too_long"] += 1
                return proposal
            try:
                matches, over = guard.matches(text)
            except PatternTimeout:
                proposal.dropped["too_slow"] += 1
                return proposal
            if over:
                proposal.dropped["over_limit"] += over
            proposal.regions = settle(text, matches, 0.8)
            return proposal

        yield apply
