"""Half-open intervals in text. The one unit is the Unicode code point; UTF-16 exists only at the browser's
edge.

Pure. `static/workbench/src/core/spans.ts` is the twin; both are held to `fixtures/vectors/spans.json`.
"""

from __future__ import annotations

from annotator.core.errors import Invalid


def codepoint_to_utf16(text: str, offset: int) -> int:
    """UTF-16 offset of a code point offset; 0 <= offset <= len(text)."""
    if not 0 <= offset <= len(text):
        raise Invalid("span_outside_text", "The span reaches beyond the text.")
    return offset + sum(1 for char in text[:offset] if char > "\uffff")


def utf16_to_codepoint(text: str, offset: int) -> int:
    """Code point offset of a UTF-16 offset; Invalid beyond the text or inside a surrogate pair."""
    if offset < 0:
        raise Invalid("span_outside_text", "The span reaches beyond the text.")
    units = 0
    for index, char in enumerate(text):
        if units == offset:
            return index
        units += 2 if char > "\uffff" else 1
        if units > offset:
            raise Invalid("span_inside_pair", "The offset lies inside a surrogate pair.")
    if units == offset:
        return len(text)
    raise Invalid("span_outside_text", "The span reaches beyond the text.")


def span_iou(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Length of the common part over the length of the union of two half-open, non-empty intervals."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    if common <= 0:
        return 0.0
    return common / (one[1] - one[0] + other[1] - other[0] - common)


def quote_of(text: str, start: int, end: int) -> str:
    """The text of a span; Invalid for an empty, inverted or too long one. Never silently shortened."""
    if not 0 <= start < end:
        raise Invalid("span_empty", "The end of a span lies behind its start.")
    if end > len(text):
        raise Invalid("span_outside_text", "The span reaches beyond the text.")
    return text[start:end]
