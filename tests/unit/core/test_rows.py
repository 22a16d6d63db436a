"""Reading import rows: the streaming reader gives what the strict reader gives, at every cut of the stream."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core import rows
from annotator.core.canonical import strict_loads
from annotator.core.errors import ConcordError, Invalid

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def strictly(text: str) -> Any:
    try:
        return strict_loads(text)
    except ConcordError as error:
        return error.code


def outcome(given_row: rows.Given) -> Any:
    return given_row.error.code if given_row.error else given_row.value


@settings(max_examples=150, deadline=None)
@given(st.lists(values, max_size=8), st.integers(1, 40), st.booleans())
def test_an_array_is_read_as_its_elements_are(found: list[Any], cut: int, spaced: bool):
    parts = [json.dumps(v, ensure_ascii=not spaced) for v in found]
    raw = ("[" + (" ,\n " if spaced else ",").join(parts) + "]").encode("utf-8", "surrogatepass")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return  # half a surrogate pair as bytes is told as broken UTF-8 for the whole file
    old, rows.CHUNK = rows.CHUNK, cut
    try:
        got = [outcome(g) for g in rows.read_array(io.BytesIO(raw))]
    finally:
        rows.CHUNK = old
    assert json.dumps(got) == json.dumps([strictly(p) for p in parts])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[{"a":1,"a":2}]', "duplicate_key"), ("[NaN]", "number_not_finite"), ("[1e999]", "number_not_finite"),
        ('["\\ud800"]', "lone_surrogate"), ("[12345678901234567891]", "number_not_exact"),
        ("[" + "[" * 80 + "]" * 80 + "]", "too_deep"), ('["\\u0000"]', "nul_character"),
    ],
)  # fmt: skip
def test_json_that_is_not_strict_is_one_bad_row(text: str, code: str):
    whole = text[:-1] + ', {"good": 1}]'
    bad, good = rows.read_array(io.BytesIO(whole.encode()))
    assert outcome(bad) == code and outcome(good) == {"good": 1}


@pytest.mark.parametrize("text", ["", "{}", "[1", "[1,", "[1 2]", '["a]', "[1] x", "[1,]", "nonsense"])
def test_broken_arrays_are_told(text: str):
    with pytest.raises(Invalid):
        list(rows.read_array(io.BytesIO(text.encode())))


def test_very_deep_json_is_no_recursion_failure():
    with pytest.raises(Invalid) as found:
        list(rows.read_array(io.BytesIO(b"[" + b'{"a":' * 100_000)))
    assert found.value.code in ("too_deep", "not_json")


def test_lines():
    raw = b'\xef\xbb\xbf{"a":1}\r\n\n  \n{"a":NaN}\n{bad\n\xff\n[1]'
    got = [(g.number, outcome(g)) for g in rows.read_lines(io.BytesIO(raw))]
    assert got == [(1, {"a": 1}), (2, "number_not_finite"), (3, "not_json"), (4, "not_utf8"), (5, [1])]


def test_a_row_beyond_the_limit_is_one_bad_row(monkeypatch):
    monkeypatch.setattr(rows, "ROW_LIMIT", 100)
    raw = b'{"a":"' + b"x" * 1000 + b'"}\n{"b":1}\n'
    first, second = rows.read_lines(io.BytesIO(raw))
    assert outcome(first) == "row_too_long" and outcome(second) == {"b": 1}


@pytest.mark.parametrize("raw", [b'{"a": NaN}', b"{bad", b"\xff\xfe", b'{"x":1}', b"[1,2]"])
def test_rejects_are_rows_again(raw: bytes):
    error = Invalid("code", "Why.", field="f")
    (first,) = rows.read_lines(io.BytesIO(raw))
    line = rows.reject_line(7, first.value, first.raw, error)
    (again,) = map(rows.unwrap, rows.read_lines(io.BytesIO(line)))
    value = again.value
    if isinstance(value, dict):
        value.pop("_rejected", None)
    assert (value, again.error and again.error.code) == (first.value, first.error and first.error.code)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(st.integers(-5, 110), st.floats(-5, 110), st.sampled_from([1.5, 2.0, 0.0005, True, "1"])),
        min_size=4,
        max_size=4,
    )
)
def test_the_short_cut_for_boxes_agrees_with_the_shape(numbers: list[Any]):
    from annotator.actions.steps.prelabels import _plain_box
    from annotator.core.document import AssetInfo
    from annotator.shapes import box

    asset = AssetInfo("a", "image", "image", 100, 100)
    geometry = dict(zip(("x0", "y0", "x1", "y1"), numbers, strict=True))
    if _plain_box(geometry, asset):
        stored, warned = box.parse(geometry, asset, field="g")
        assert stored == geometry and json.dumps(stored) == json.dumps(geometry) and not warned
