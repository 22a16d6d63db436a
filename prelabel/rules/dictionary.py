"""dictionary.v1: listed terms in a text become spans. Pure.

A term matches whole words where its edge is a Latin letter or a digit; Chinese has no spaces, so there every
occurrence counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prelabel.core.parameters import Parameter, _
from prelabel.core.samples import Proposal, Sample
from prelabel.rules._spans import settle

ID = "dictionary.v1"
TITLE = _("Terms from lists")
HELP = _("Marks every occurrence of the listed terms in a text. One term a line.")
INPUT = "text"
SHAPES: tuple[str, ...] = ("span",)
PARAMETERS = (
    Parameter("terms", "lines", _("Terms of each label"), default=None, required=True),
    Parameter("ignore_case", "flag", _("Ignore upper and lower case"), default=True),
    Parameter("whole_words", "flag", _("Whole words only (Latin letters and digits)"), default=True),
)
MAX_TEXT = 1_000_000
MAX_MATCHES = 20_000


@contextmanager
def prepare(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Callable[[Sample], Proposal]]:
    fold = _fold if values["ignore_case"] else str
    first: dict[str, list[tuple[str, str]]] = {}
    for label, terms in values["terms"].items():
        for term in terms:
            folded = fold(term)
            first.setdefault(folded[0], []).append((folded, label))
    for entries in first.values():
        entries.sort(key=lambda entry: -len(entry[0]))

    def apply(sample: Sample) -> Proposal:
        proposal = Proposal()
        text = sample.text or ""
        if len(text) > MAX_TEXT:
            proposal.dropped["text_too_long"] += 1
            return proposal
        matches: list[tuple[int, int, str]] = []
        for start, end, label in _matches(fold(text), first):
            if values["whole_words"] and not _whole(text, start, end):
                continue
            if len(matches) >= MAX_MATCHES:
                proposal.dropped["over_limit"] += 1
                continue
            matches.append((start, end, label))
        # A term somebody listed is as sure as a list can be; 0.9 leaves room for the models' certain ones.
        proposal.regions = settle(text, matches, 0.9)
        return proposal

    yield apply


def _fold(text: str) -> str:
    """Lower case, code point by code point, so that positions stay (ß and İ would change the length)."""
    return "".join(lower if len(lower := letter.lower()) == 1 else letter for letter in text)


def _matches(text: str, first: Mapping[str, list[tuple[str, str]]]) -> Iterator[tuple[int, int, str]]:
    for at, letter in enumerate(text):
        for term, label in first.get(letter, ()):
            if text.startswith(term, at):
                yield at, at + len(term), label


def _wordy(letter: str) -> bool:
    return letter == "_" or (letter.isalnum() and ord(letter) < 0x250)


def _whole(text: str, start: int, end: int) -> bool:
    cut_before = start > 0 and _wordy(text[start]) and _wordy(text[start - 1])
    cut_after = end < len(text) and _wordy(text[end - 1]) and _wordy(text[end])
    return not cut_before and not cut_after
