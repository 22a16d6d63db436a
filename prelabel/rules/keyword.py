"""keyword.v1: words in a text answer a choice control; the option with most distinct terms found wins.
Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from annotator.core.errors import Invalid
from prelabel.core import schema_view
from prelabel.core.parameters import Parameter, _
from prelabel.core.samples import Proposal, Sample
from prelabel.rules.dictionary import MAX_TEXT, _fold, _whole

ID = "keyword.v1"
TITLE = _("Answer by key words")
HELP = _("Answers a choice by the listed words found in a text. One word a line; a tie gives no answer.")
INPUT = "text"
SHAPES: tuple[str, ...] = ()
PARAMETERS = (
    Parameter("control", "control", _("Question to answer"), required=True),
    Parameter("words", "lines", _("Words of each answer"), default=None, required=True),
)


@contextmanager
def prepare(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Callable[[Sample], Proposal]]:
    control = values["control"]
    offered = schema_view.choice_controls(schema)[control]
    for option in values["words"]:
        if option not in offered:
            raise Invalid(
                "bad_parameter", _("This question does not have that answer."), field="words", name=option
            )
    words = {option: [_fold(word) for word in listed] for option, listed in values["words"].items()}

    def apply(sample: Sample) -> Proposal:
        proposal = Proposal()
        text = sample.text or ""
        if len(text) > MAX_TEXT:
            proposal.dropped["text_too_long"] += 1
            return proposal
        folded = _fold(text)
        counts = {option: sum(_holds(folded, word) for word in listed) for option, listed in words.items()}
        total = sum(counts.values())
        best = max(counts.values(), default=0)
        winners = [option for option, count in counts.items() if count == best]
        if best and len(winners) == 1:
            proposal.answers = {control: winners[0]}
            # One word alone is weak evidence; n words of n + 1 found speak for the winner as (best) /
            # (total + 1).
            proposal.score = round(best / (total + 1), 4)
        return proposal

    yield apply


def _holds(text: str, word: str) -> bool:
    at = text.find(word)
    while at >= 0:
        if _whole(text, at, at + len(word)):
            return True
        at = text.find(word, at + 1)
    return False
