"""Finds the strings of all wings that people read, for the one catalogue. Reads sources, touches nothing.

Three kinds of sources: Python (gettext calls, sentences of errors, titles handed to registries), templates,
and TypeScript (`t`, `tn`). Needs Django's template lexer, no settings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINGS = ("annotator", "review", "prelabel")
ERRORS = {
    "ConcordError",
    "Invalid",
    "Unauthenticated",
    "Forbidden",
    "NotFound",
    "Conflict",
    "TooLarge",
    "Gone",
    "Throttled",
    "Unavailable",
    "Problem",
}
ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
MANY = {"ngettext", "ngettext_lazy"}
SCRIPT_KEYS = ("message",)  # of a dict that goes out as JSON: the script shows it through t()


@dataclass
class Found:
    """One msgid: its plural, where it is used, and who needs it."""

    plural: str | None = None
    places: set[str] = field(default_factory=set)
    server: bool = False
    script: bool = False


Messages = dict[str, Found]


def note(
    messages: Messages,
    msgid: str,
    place: str,
    *,
    plural: str | None = None,
    server: bool = False,
    script: bool = False,
) -> None:
    """Add one use."""
    if not msgid.strip():
        return
    found = messages.setdefault(msgid, Found())
    found.plural = found.plural or plural
    found.places.add(place)
    found.server |= server
    found.script |= script


# --- Python ---


def _literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def python_strings(source: str, place: str, messages: Messages) -> None:
    """gettext calls; message and cure of errors; titles of navigation; {"message": …} of JSON answers."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                text = _literal(value)
                if _literal(key) in SCRIPT_KEYS and text is not None:
                    note(messages, text, place, server=True, script=True)
            continue
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.id
            if isinstance(node.func, ast.Name)
            else node.func.attr
            if isinstance(node.func, ast.Attribute)
            else ""
        )
        first = _literal(node.args[0]) if node.args else None
        second = _literal(node.args[1]) if len(node.args) > 1 else None
        if name in ONE and first is not None:
            note(messages, first, place, server=True)
        elif name in MANY and first is not None:
            note(messages, first, place, plural=second, server=True)
        elif name in ERRORS:
            cures = [_literal(k.value) for k in node.keywords if k.arg in ("cure", "message")]
            for text in (second, *cures):
                if text is not None:
                    note(messages, text, place, server=True, script=True)
        elif name == "NavigationEntry" and second is not None:
            note(messages, second, place, server=True)


# --- templates ---

_CALL = re.compile(r"\b(gettext|ngettext|_)\(")


def template_strings(source: str, place: str, messages: Messages) -> None:
    """What {% translate %}, {% blocktranslate %} and _("…") in tags say."""
    from django.utils.translation.template import templatize

    code = templatize(source, origin=place)
    for match in _CALL.finditer(code):
        arguments = _arguments(code, match.end() - 1)
        if not arguments:
            continue
        plural = arguments[1] if match[1] == "ngettext" and len(arguments) > 1 else None
        note(
            messages,
            arguments[0],  # with % doubled, as Django looks it up
            place,
            plural=plural,
            server=True,
        )


def _arguments(code: str, at: int) -> list[str]:
    """The string literals of a call whose bracket opens at `at`."""
    texts: list[str] = []
    position = at + 1
    while True:
        match = re.compile(r"\s*,?\s*u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.DOTALL).match(
            code, position
        )
        if match is None:
            return texts
        texts.append(str(ast.literal_eval(match[1].replace("\n", "\\n"))))
        position = match.end()


# --- TypeScript ---

_STRING = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\$]|\\.)*`"
_TEXT = rf"(?:{_STRING})(?:\s*\+\s*(?:{_STRING}))*"
_SCRIPT_CALL = re.compile(rf"(?<![\w.$])(tn|t|msg)\(\s*({_TEXT})(?:\s*,\s*({_TEXT}))?")


def _script_text(expression: str) -> str:
    parts = []
    for piece in re.findall(_STRING, expression):
        body = piece[1:-1]
        body = re.sub(r"\\u\{?([0-9a-fA-F]{4,6})\}?", lambda m: chr(int(m[1], 16)), body)
        body = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), body)
        parts.append(body)
    return "".join(parts)


def script_strings(source: str, place: str, messages: Messages) -> None:
    """t("…"), tn("one", "many", n) and msg("…") (a literal kept for later)."""
    for match in _SCRIPT_CALL.finditer(source):
        plural = _script_text(match[3]) if match[1] == "tn" and match[3] else None
        note(messages, _script_text(match[2]), place, plural=plural, script=True)


# --- all of it ---


def sources(root: Path = ROOT) -> Iterator[tuple[str, Path]]:
    """(kind, path) of every source that may speak to people; tests and generated files do not."""
    for wing in WINGS:
        for path in sorted((root / wing).rglob("*.py")):
            if "migrations" not in path.parts and path.name not in ("extraction.py",):
                yield "python", path
    for path in sorted((root / "templates").rglob("*.html")):
        yield "template", path
    for path in sorted((root / "static" / "workbench" / "src").rglob("*.ts")):
        if "generated" not in path.parts:
            yield "script", path


def collect(root: Path = ROOT) -> Messages:
    """Every msgid of the project."""
    messages: Messages = {}
    readers = {"python": python_strings, "template": template_strings, "script": script_strings}
    for kind, path in sources(root):
        readers[kind](path.read_text(encoding="utf-8"), path.relative_to(root).as_posix(), messages)
    return messages
