"""Import rows: read them one by one from a JSON array or from JSON lines, and check what a row may say.

Pure: works on an open file. Memory is bounded by ROW_LIMIT whatever the size of the file. What a row names (assets,
labels) is checked by the caller, who knows the project.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from annotator.core.canonical import MAX_DEPTH, strict_loads
from annotator.core.errors import ConcordError, Invalid, TooLarge
from annotator.core.ids import is_digest

ROW_LIMIT = 8 * 2**20
CHUNK = 1 << 18
MAX_ASSETS = 50
MAX_TAGS = 50
MAX_KEY_CHARS = 200
MAX_JSON_CHARS = 65_536
TEXT_LIMIT = 2**20
PRIORITY_LIMIT = 100_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,49}\Z")
_SPACE = " \t\r\n"
_END_OF_ROW = re.compile(r"[ \t\r\n]*")
_AFTER_NUMBER = (",", "]", " ", "\t", "\r", "\n")
_lenient = json.JSONDecoder().raw_decode
# What the quick decoder reads otherwise than `strict_loads`: long numbers; and escapes, which are looked for apart.
_ODD_NUMBER = re.compile(r"[0-9](?:[0-9]{15}|[eE]\+?[0-9]{3})")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("duplicate_key", "A key stands twice in one object.")
    return found


def _constant(name: str) -> Any:
    raise Invalid("number_not_finite", "NaN and infinities are not numbers here.", place=name)


_scan = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant).raw_decode

KEYS = frozenset(
    {
        "external_key",
        "group",
        "assets",
        "text",
        "metadata",
        "tags",
        "source",
        "origin",
        "priority",
        "prelabel",
    }
)
_IGNORED = frozenset({"_rejected"})  # what a file of rejects carries beside the row
_PRELABEL_KEYS = frozenset({"source", "score", "regions", "answers"})
_ASSET_KEYS = frozenset({"role", "name", "sha256", "text"})


@dataclass(slots=True)
class Given:
    """One row as it came: `value`, or `error` when it could not be read. `raw` is kept only then."""

    number: int
    value: Any = None
    error: ConcordError | None = None
    raw: bytes = b""
    end: int = 0  # bytes of the file read so far, for progress


@dataclass(slots=True)
class AssetRef:
    """How a row names one of its assets; exactly one of name, sha256, text."""

    role: str
    name: str | None = None
    sha256: str | None = None
    text: str | None = None


@dataclass(slots=True)
class Row:
    """A row whose structure is right."""

    number: int
    key: str
    group: str = ""
    assets: list[AssetRef] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    priority: int | None = None
    prelabel: dict[str, Any] | None = None


# --- reading ---


def read_lines(file: IO[bytes]) -> Iterator[Given]:
    """One row a line; empty lines are none. A line that cannot be read is one bad row, the next one counts again."""
    number = end = 0
    while True:
        line = file.readline(ROW_LIMIT + 1)
        if not line:
            return
        end += len(line)
        if len(line) > ROW_LIMIT:
            start = line[:200]
            while line and not line.endswith(b"\n"):
                line = file.readline(ROW_LIMIT)
                end += len(line)
            number += 1
            error = TooLarge("row_too_long", "The row is longer than the published budget.", limit=ROW_LIMIT)
            yield Given(number, error=error, raw=start, end=end)
            continue
        line = line.strip(b"\r\n\t ")
        if not number and line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
        if not line:
            continue
        number += 1
        try:
            yield Given(number, strict_loads(line), end=end)
        except ConcordError as error:
            yield Given(number, error=error, raw=line, end=end)


def read_array(file: IO[bytes]) -> Iterator[Given]:
    """The elements of a JSON array, as they come. A break of the JSON itself ends the reading: Invalid with the row.

    An element that is JSON but not strict (a key twice, NaN, a lone surrogate) is one bad row.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, at, taken, number = "", 0, 0, 0
    over = False

    def more() -> bool:
        nonlocal text, at, over, taken
        if over:
            return False
        raw = file.read(max(CHUNK, len(text) - at))
        taken += len(raw)
        over = not raw
        try:
            text, at = text[at:] + decoder.decode(raw, final=over), 0
        except UnicodeDecodeError as error:
            place = f"row {number + 1}, near byte {taken - len(raw) + error.start}"
            raise Invalid("not_utf8", "The text is not UTF-8.", place=place) from None
        return True

    def skip() -> str:
        """The next character that is not white space, or "" at the end."""
        nonlocal at
        while True:
            found = _END_OF_ROW.match(text, at)
            at = found.end() if found else at
            if at < len(text):
                return text[at]
            if not more():
                return ""

    first = skip()
    if first == "\ufeff":
        at += 1
        first = skip()
    if first != "[":
        raise Invalid(
            "not_an_array", "The file must hold one JSON array of rows.", cure="Or send JSON lines."
        )
    at += 1
    if skip() == "]":
        at += 1
        _nothing_more(skip())
        return
    while True:
        if not skip():
            raise _broken(number)
        value: Any = None
        quick = True
        while True:
            try:
                value, end = _scan(text, at)
                # a bare number may go on behind what was read so far ("0" of "0.5"); what has brackets may not
                if over or text[at] in '{["' or text[end : end + 1] in _AFTER_NUMBER:
                    break
            except Invalid:
                # a key twice, NaN: JSON but not strict. The lenient reader says where the row ends.
                quick = False
                with contextlib.suppress(json.JSONDecodeError):
                    end = _lenient(text, at)[1]
                    break
                if over:
                    raise _broken(number) from None
            except json.JSONDecodeError:
                if over:
                    raise _broken(number) from None
            except RecursionError:
                place = f"row {number + 1}"
                raise Invalid("too_deep", "The value is nested too deeply.", place=place) from None
            if len(text) - at > ROW_LIMIT:
                place = f"row {number + 1}"
                raise TooLarge("row_too_long", "The row is too long.", place=place, limit=ROW_LIMIT)
            more()
        start, at = at, end
        number += 1
        read = taken - (len(text) - at)  # in characters: near enough for progress
        try:
            odd = text.find("\\u", start, end) >= 0 or _ODD_NUMBER.search(text, start, end) is not None
            if odd or not quick or text.count("[", start, end) + text.count("{", start, end) > MAX_DEPTH:
                value = strict_loads(text[start:end])
            yield Given(number, value, end=read)
        except ConcordError as error:
            yield Given(number, error=error, raw=text[start:end].encode("utf-8", "surrogatepass"), end=read)
        mark = skip()
        if mark == "]":
            at += 1
            _nothing_more(skip())
            return
        if mark != ",":
            raise _broken(number)
        at += 1


def _broken(number: int) -> Invalid:
    return Invalid(
        "not_json",
        "The JSON breaks off or is damaged here.",
        place=f"row {number + 1}",
        cure="Mend the file and send it again: rows that are there already are not doubled.",
    )


def _nothing_more(mark: str) -> None:
    if mark:
        raise Invalid("not_json", "Something stands behind the end of the array.")


def unwrap(given: Given) -> Given:
    """A line of a file of rejects that holds the row as raw text gives that row; any other row is itself."""
    value = given.value
    if not isinstance(value, dict) or not ({"_line", "_line_base64"} & value.keys()):
        return given
    try:
        line = value.get("_line")
        raw = (
            line.encode() if isinstance(line, str) else base64.b64decode(value["_line_base64"], validate=True)
        )
        return Given(given.number, strict_loads(raw), end=given.end)
    except ConcordError as error:
        return Given(given.number, error=error, raw=raw, end=given.end)
    except (binascii.Error, TypeError, ValueError, KeyError):
        unreadable = Invalid("bad_reject", "This is not a line of a file of rejects.")
        return Given(given.number, error=unreadable, raw=b"", end=given.end)


def reject_line(number: int, value: Any, raw: bytes, error: ConcordError) -> bytes:
    """One line of the file of rejects: the row as it came, with the reason beside it; it can be imported again."""
    reason = {"row": number, **error.as_dict()}
    if isinstance(value, dict):
        body = {**{k: v for k, v in value.items() if k != "_rejected"}, "_rejected": reason}
    elif raw:
        try:
            body = {"_line": raw.decode("utf-8"), "_rejected": reason}
        except UnicodeDecodeError:
            body = {"_line_base64": base64.b64encode(raw).decode(), "_rejected": reason}
    else:
        body = {"_line": json.dumps(value, ensure_ascii=False), "_rejected": reason}
    return (
        json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
        + b"\n"
    )


# --- checking ---


def _text(value: object, where: str, limit: int, *, empty: bool = False) -> str:
    if (
        not isinstance(value, str)
        or len(value) > limit
        or (not empty and not value.strip())
        or _CONTROL.search(value)
    ):
        low = 0 if empty else 1
        raise Invalid(
            "bad_text",
            "The text here is too short, too long or has control characters.",
            field=where,
            at_least=low,
            at_most=limit,
        )
    return value


def _small_object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=where)
    if value and len(json.dumps(value, ensure_ascii=False)) > MAX_JSON_CHARS:
        raise TooLarge(
            "too_large", "This field is larger than the published budget.", field=where, limit=MAX_JSON_CHARS
        )
    return value


def check_row(value: object, number: int) -> Row:
    """The row, once its structure is right. Invalid names the field. Unknown keys are refused, never dropped."""
    if not isinstance(value, dict):
        raise Invalid("not_an_object", "A row is a JSON object.")
    if not value.keys() <= KEYS:
        unknown = sorted(value.keys() - KEYS - _IGNORED)
        if unknown:
            raise Invalid(
                "unknown_field",
                "A row has no such field.",
                field=unknown[0],
                cure="Known: " + ", ".join(sorted(KEYS)) + ". Put your own fields into metadata.",
            )
    if "external_key" not in value:
        raise Invalid("missing_field", "This field is required.", field="external_key")
    row = Row(number, _text(value["external_key"], "external_key", MAX_KEY_CHARS))
    if row.key != row.key.strip():
        raise Invalid("bad_text", "The key begins or ends with a space.", field="external_key")
    if "group" in value:
        row.group = _text(value["group"], "group", MAX_KEY_CHARS, empty=True)
    for name in ("metadata", "source", "origin"):
        if name in value:
            setattr(row, name, _small_object(value[name], name))
    if row.origin and row.origin.get("kind") not in ("real", "synthetic"):
        raise Invalid("bad_origin", "The kind of an origin is real or synthetic.", field="origin.kind")
    if "tags" in value:
        tags = value["tags"]
        if not isinstance(tags, list) or len(tags) > MAX_TAGS:
            raise Invalid("bad_tags", "tags is a list of at most 50 texts.", field="tags")
        for at, tag in enumerate(tags):
            _text(tag, f"tags.{at}", 100)
        row.tags = sorted(set(tags))
    if "priority" in value:
        priority = value["priority"]
        if isinstance(priority, bool) or not isinstance(priority, int) or abs(priority) > PRIORITY_LIMIT:
            raise Invalid(
                "bad_priority", "priority is a whole number from -100,000 to 100,000.", field="priority"
            )
        row.priority = priority
    row.assets = _assets(value)
    if value.get("prelabel") is not None:
        row.prelabel = _prelabel(value["prelabel"])
    return row


def _assets(value: dict[str, Any]) -> list[AssetRef]:
    found: list[AssetRef] = []
    listed = value.get("assets", [])
    if not isinstance(listed, list) or len(listed) > MAX_ASSETS:
        raise Invalid("bad_assets", "assets is a list of at most 50 entries.", field="assets")
    for at, entry in enumerate(listed):
        where = f"assets.{at}"
        if not isinstance(entry, dict):
            raise Invalid("not_an_object", "An object is wanted here.", field=where)
        unknown = entry.keys() - _ASSET_KEYS
        if unknown:
            if "url" in unknown:
                raise Invalid(
                    "url_refused",
                    "Assets are not fetched from addresses.",
                    field=f"{where}.url",
                    cure="Upload the file first, then name it by name or sha256.",
                )
            raise Invalid("unknown_field", "An asset has no such field.", field=f"{where}.{min(unknown)}")
        ways = [name for name in ("name", "sha256", "text") if name in entry]
        if len(ways) != 1:
            raise Invalid(
                "asset_unnamed", "An asset is named by exactly one of name, sha256, text.", field=where
            )
        role = entry.get("role", "text" if ways == ["text"] else "image")
        if not isinstance(role, str) or not _ROLE.match(role):
            raise Invalid("bad_role", "A role is a word of small letters.", field=f"{where}.role")
        ref = AssetRef(role)
        if ways == ["sha256"]:
            if not is_digest(entry["sha256"]):
                raise Invalid("bad_digest", "A digest is 64 hexadecimal digits.", field=f"{where}.sha256")
            ref.sha256 = entry["sha256"]
        elif ways == ["name"]:
            ref.name = _text(entry["name"], f"{where}.name", 400)
        else:
            ref.text = _long_text(entry["text"], f"{where}.text")
        found.append(ref)
    if "text" in value:
        found.append(AssetRef("text", text=_long_text(value["text"], "text")))
    if not found:
        raise Invalid("no_assets", "A row needs a text or at least one asset.", field="assets")
    if len(found) > 1 and len({ref.role for ref in found}) < len(found):
        raise Invalid("role_twice", "Two assets of a row have the same role.", field="assets")
    return found


def _long_text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Invalid("empty_text", "The text is empty.", field=where)
    if len(value) > TEXT_LIMIT:
        raise TooLarge(
            "text_too_long", "The text is longer than the published budget.", field=where, limit=TEXT_LIMIT
        )
    if "\x00" in value:
        raise Invalid("nul_character", "A text holds the character U+0000.", field=where)
    return value


def _prelabel(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field="prelabel")
    unknown = value.keys() - _PRELABEL_KEYS
    if unknown:
        raise Invalid("unknown_field", "A prelabel has no such field.", field=f"prelabel.{min(unknown)}")
    source = value.get("source", "upload:import")
    if not isinstance(source, str) or not source.startswith("upload:") or not 8 <= len(source) <= 200:
        raise Invalid(
            "bad_source", "The source of an imported prelabel is upload: and a name.", field="prelabel.source"
        )
    score = value.get("score")
    if score is not None and (
        isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1
    ):
        raise Invalid("bad_score", "A score is a number from 0 to 1.", field="prelabel.score")
    regions, answers = value.get("regions", []), value.get("answers", {})
    if not isinstance(regions, list):
        raise Invalid("not_a_list", "A list is wanted here.", field="prelabel.regions")
    if not isinstance(answers, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field="prelabel.answers")
    return {"source": source, "score": score, "regions": regions, "answers": answers}
