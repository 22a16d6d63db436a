"""Canonical JSON (RFC 8785) and strict JSON reading: what every digest of the product rests on.

Pure: no clock, no disk, no Django. `static/workbench/src/core/canonical.ts` is its twin; both are held to
`fixtures/vectors/canonical.json`. A value that came through `strict_loads` can always be written by
`canonical`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np

from annotator.core.errors import Invalid

MAX_DEPTH = 64
"""Nested arrays and objects that `strict_loads` reads. Published limit."""

# What the C encoder writes differently from ES6: a float that is whole ("1.0"), a signed exponent,
# integers beyond 2**53, and key order once a character lies above the surrogate block (code point order is
# not UTF-16 order there). Looking into strings too is harmless: a false alarm only costs the slower writer.
# Searched for in bytes, because a pattern over every character costs more than the encoding itself.
_CLASSES = bytes(48 if 48 <= byte < 58 else 1 if byte >= 0xEE else 120 for byte in range(256))
_LONG_INTEGER = b"0" * 16
_EXPONENT = re.compile(rb"[0-9]e[+-][0-9]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ODD_NUMBER = re.compile(r"[0-9]{16}|[eE]\+?[0-9]{3}")
_ODD_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_escape = json.encoder.encode_basestring


def es6_number(value: float) -> str:
    """A finite double as ECMAScript's `String(value)` writes it (-0 is "0")."""
    if value == 0:
        return "0"
    sign, text = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = whole + fraction
    point = len(whole) + (int(exponent) if exponent else 0)  # value = 0.digits * 10**point
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    k = len(digits)
    if k <= point <= 21:
        return sign + digits + "0" * (point - k)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    e = point - 1
    tail = ("e+" if e >= 0 else "e-") + str(abs(e))
    return sign + digits[0] + ("." + digits[1:] if k > 1 else "") + tail


def _large(value: int) -> str:
    """An integer beyond 2**53, kept when a double holds it or when its digits are the double's shortest ones
    (as ES6 writes them below 1e21, and as PostgreSQL writes 1e300)."""
    try:
        as_float = float(value)
    except OverflowError:
        as_float = math.inf
    if not math.isfinite(as_float) or (as_float != value and int(Decimal(repr(as_float))) != value):
        raise Invalid("number_not_exact", "A 64-bit float cannot hold an integer exactly.")
    return es6_number(as_float)


def _write(value: Any, out: list[str], depth: int) -> None:
    if value is None:
        out.append("null")
    elif value is True:
        out.append("true")
    elif value is False:
        out.append("false")
    elif isinstance(value, str):
        out.append(_escape(value))
    elif isinstance(value, int):
        out.append(str(int(value)) if abs(value) < 9007199254740992 else _large(int(value)))
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid("number_not_finite", "NaN and infinities are not numbers here.")
        out.append(es6_number(value))
    elif depth > 4 * MAX_DEPTH:
        raise Invalid("too_deep", "The value is nested too deeply.")
    elif isinstance(value, dict):
        try:
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        except UnicodeEncodeError:
            raise Invalid("lone_surrogate", "A text holds half of a surrogate pair.") from None
        except AttributeError:
            raise Invalid("key_not_text", "The keys of an object are texts.") from None
        out.append("{")
        for index, key in enumerate(keys):
            out.append("," if index else "")
            out.append(_escape(key))
            out.append(":")
            _write(value[key], out, depth + 1)
        out.append("}")
    elif isinstance(value, list | tuple):
        out.append("[")
        for index, entry in enumerate(value):
            out.append("," if index else "")
            _write(entry, out, depth + 1)
        out.append("]")
    else:
        raise Invalid("not_json", "The value has a type that JSON does not know.")


def _not_fast(raw: bytes) -> bool:
    if b".0," in raw or b".0}" in raw or b".0]" in raw or raw.endswith(b".0"):
        return True
    classes = raw.translate(_CLASSES)
    if _LONG_INTEGER in classes or b"\x01" in classes:
        return True
    return (b"e-" in raw or b"e+" in raw) and _EXPONENT.search(raw) is not None


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value; Invalid for NaN, infinities, lone surrogates, inexact integers.

    Most values never leave the C encoder; the rest take the plain writer. Keys must be texts; the C encoder
    would turn other keys into texts (nothing read by `strict_loads` has them).
    """
    try:
        raw = _ENCODER.encode(value).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        raw = b""  # the plain writer names what is wrong
    if raw and not _not_fast(raw):
        return raw
    out: list[str] = []
    _write(value, out, 0)
    try:
        return "".join(out).encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid("lone_surrogate", "A text holds half of a surrogate pair.") from None


def canonical_text(value: Any) -> str:
    """RFC 8785 as text."""
    return canonical(value).decode("utf-8")


def digest(value: Any) -> str:
    """sha256 of the canonical bytes, lower-case hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def same(one: Any, other: Any) -> bool:
    """Canonical equality: 1 equals 1.0, true does not equal 1."""
    if one is other:
        return True
    # Python's == is only ever too generous here (True == 1), so a difference is final.
    return bool(one == other) and canonical(one) == canonical(other)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Invalid("duplicate_key", "A key stands twice in one object.", field=key)
            seen.add(key)
    return found


def _constant(name: str) -> Any:
    raise Invalid("number_not_finite", "NaN and infinities are not numbers here.", place=name)


def _integer(text: str) -> int | float:
    """Beyond 2**53 an integer is read as the double that gives its digits back."""
    value = _float(text)
    if abs(value) < 9007199254740992:
        return int(text)
    _large(int(text))
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Invalid("number_not_finite", "A number is too large for a 64-bit float.", place=text[:40])
    return value


def _depth(text: str) -> int:
    bare = _STRING.sub("", text)
    raw = np.frombuffer(bare.encode("utf-8", "replace"), dtype=np.uint8)
    opens = (raw == 0x5B) | (raw == 0x7B)
    closes = (raw == 0x5D) | (raw == 0x7D)
    steps = opens.astype(np.int32) - closes.astype(np.int32)
    return int(np.cumsum(steps).max()) if steps.size else 0


def _check_texts(value: Any) -> None:
    stack = [value]
    while stack:
        entry = stack.pop()
        if isinstance(entry, str):
            if "\x00" in entry:
                # PostgreSQL cannot hold U+0000 in a text; one rule for both engines.
                raise Invalid("nul_character", "A text holds the character U+0000.")
            try:
                entry.encode("utf-8")
            except UnicodeEncodeError:
                raise Invalid("lone_surrogate", "A text holds half of a surrogate pair.") from None
        elif isinstance(entry, dict):
            stack.extend(entry.keys())
            stack.extend(entry.values())
        elif isinstance(entry, list):
            stack.extend(entry)


def strict_loads(raw: bytes | str) -> Any:
    """JSON as the product reads it from anybody: RFC 8259 and nothing beside it.

    Refused with `Invalid`: broken UTF-8, NaN and infinities (also 1e309), integers a double cannot hold, a
    key twice in one object, more than MAX_DEPTH levels, lone surrogates, U+0000. A byte-order mark is
    skipped.
    """
    if isinstance(raw, str):
        text = raw
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise Invalid("lone_surrogate", "A text holds half of a surrogate pair.") from None
    else:
        try:
            text = bytes(raw).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Invalid("not_utf8", "The text is not UTF-8.", place=f"byte {error.start}") from None
    if text.startswith("\ufeff"):
        text = text[1:]
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise Invalid("too_deep", "The value is nested too deeply.", limit=MAX_DEPTH)
    odd = _ODD_NUMBER.search(text) is not None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_int=_integer if odd else None,
            parse_float=_float if odd else None,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise Invalid("not_json", "The text is not JSON.", place=place) from None
    except RecursionError:
        raise Invalid("too_deep", "The value is nested too deeply.", limit=MAX_DEPTH) from None
    if _ODD_ESCAPE.search(text):
        _check_texts(value)
    return value
