"""Plain text: strict UTF-8 (a byte-order mark is taken off), or GB18030 when declared. Never silent replacement."""

from __future__ import annotations

import re
from pathlib import Path

from annotator.core.errors import Invalid, TooLarge
from annotator.modalities import Header, Limits

ID = "text.v1"
KIND = "text"
ENCODINGS = ("utf-8", "gb18030")
_SUFFIX = re.compile(r"\.(txt|text|md|markdown)\Z", re.IGNORECASE)
# What a browser or a reader might run or open as something else than text.
_ACTIVE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?[\s\x00]*(?:<\?xml|<!doctype|<!--|<html|<svg|<script|<head|<body|<iframe|<object|<embed|%PDF|%!PS|\{\\rtf)",
    re.IGNORECASE,
)


def sniff(head: bytes, name: str) -> str | None:
    """text/plain for a .txt or .md name whose first bytes look neither like a program's file nor like markup."""
    if not _SUFFIX.search(name) or _ACTIVE.match(head):
        return None
    return "text/plain"


def check(path: Path, limits: Limits) -> Header:
    """The whole text, decoded as declared. Raises Invalid with line and byte of the first wrong one."""
    size = path.stat().st_size
    if size > limits.text_bytes:
        raise TooLarge(
            "text_too_long", "The text is longer than the published budget.", limit=limits.text_bytes
        )
    return Header(KIND, "text/plain", text=decode(path.read_bytes(), limits.encoding))


def decode(raw: bytes, encoding: str = "utf-8") -> str:
    """Bytes to text, code point for code point; line ends stay as they are."""
    if encoding not in ENCODINGS:
        raise Invalid(
            "encoding_unknown", "This encoding is not known.", field="encoding", cure="Use utf-8 or gb18030."
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Invalid("not_utf8", "The text is UTF-16.", place="line 1, byte 0", cure="Save it as UTF-8.")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid(
            "not_utf8" if encoding == "utf-8" else "not_gb18030",
            "The text is not in the declared encoding.",
            place=f"line {line}, byte {error.start}",
            cure="Save it as UTF-8, or declare encoding=gb18030.",
        ) from None
    if text.startswith("\ufeff"):
        text = text[1:]
    check_text(text)
    return text


def check_text(text: str) -> None:
    """Refuse what cannot be stored or shown: nothing, U+0000, lone surrogates."""
    if not text.strip():
        raise Invalid("empty_text", "The text is empty.")
    nul = text.find("\x00")
    if nul >= 0:
        raise Invalid(
            "nul_character",
            "A text holds the character U+0000.",
            place=f"line {text.count(chr(10), 0, nul) + 1}",
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid(
            "lone_surrogate", "A text holds half of a surrogate pair.", place=f"character {error.start}"
        ) from None
