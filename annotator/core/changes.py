"""The one change grammar, format 1: what history, outbox, save and stored revision are made of.

Pure. A list of changes is applied in order, whole or not at all, and each change has its inverse. The
document given is never altered. Twin: `static/workbench/src/document/changes.ts`; vectors:
`fixtures/vectors/changes.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotator.core.canonical import same
from annotator.core.document import Document, check_origin, check_region, check_unusable, geometry_parts
from annotator.core.errors import ConcordError, Conflict, Invalid, TooLarge
from annotator.core.ids import is_digest, is_region_id
from annotator.core.masks import EMPTY_PART_DIGEST, parse_tile_key

FORMAT = 1
MAX_CHANGES = 10_000
"""Changes in one save. Published, like MAX_REGIONS in `document.py` and the points of a ring in
`shapes/polygon.py`."""

Change = dict[str, Any]
OPS = ("add", "remove", "replace", "set", "tile")
_REQUIRED = frozenset({"label", "geometry", "attributes", "origin"})
_FIXED = frozenset({"id", "shape"})
_NULL_IS_A_VALUE = frozenset({"asset"})


class ChangeConflict(Conflict):
    """Change number `index` does not fit the document it was made for."""

    def __init__(self, index: int, code: str, message: str) -> None:
        super().__init__(code, message, place=f"change {index}", index=index)
        self.index = index


@dataclass
class Touched:
    """What a list of changes reaches: region ids, digests of parts it brings in, names of answers."""

    regions: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)
    unusable: bool = False


def parse_changes(value: object) -> list[Change]:
    """Structure of a list of changes from outside; Invalid names the change. Nothing is altered."""
    if not isinstance(value, list):
        raise Invalid("not_a_list", "A list is wanted here.", field="changes")
    if len(value) > MAX_CHANGES:
        raise TooLarge(
            "too_many_changes", "One save holds too many changes.", field="changes", limit=MAX_CHANGES
        )
    for index, change in enumerate(value):
        try:
            _check(change, f"changes.{index}")
        except ConcordError as error:
            error.place = error.place or f"change {index}"
            raise
    return value


def _check(change: object, where: str) -> None:
    if not isinstance(change, dict):
        raise Invalid("not_an_object", "An object is wanted here.", field=where)
    op = change.get("op")
    if op in ("add", "remove"):
        _keys(change, where, {"op", "region"})
        region = check_region(change["region"], f"{where}.region")
        _check_parts(region["geometry"], f"{where}.region.geometry")
    elif op == "replace":
        _keys(change, where, {"op", "before", "after"})
        before = check_region(change["before"], f"{where}.before")
        after = check_region(change["after"], f"{where}.after", region_id=before["id"])
        _check_parts(after["geometry"], f"{where}.after.geometry")
    elif op == "set":
        _keys(change, where, {"op", "path", "before", "after"})
        _check_set(change, where)
    elif op == "tile":
        _keys(change, where, {"op", "region", "tile", "before", "after"})
        if not is_region_id(change["region"]):
            raise Invalid(
                "bad_region_id", "A region id is 'r_' and 16 base32 letters.", field=f"{where}.region"
            )
        parse_tile_key(change["tile"], f"{where}.tile")
        for name in ("before", "after"):
            _check_part(change[name], f"{where}.{name}", absent=True)
    else:
        raise Invalid(
            "unknown_op",
            "The change is of a kind that is not known.",
            field=f"{where}.op",
            cure="Use one of: " + ", ".join(OPS) + ".",
        )


def _keys(change: Mapping[str, Any], where: str, wanted: set[str]) -> None:
    for name in sorted(wanted - change.keys()):
        raise Invalid("missing_key", "A key is missing.", field=f"{where}.{name}")
    for name in sorted(change.keys() - wanted):
        raise Invalid(
            "unknown_key", "A change holds a key that it has no place for.", field=f"{where}.{name}"
        )


def _check_part(value: object, where: str, *, absent: bool) -> None:
    if value is None and absent:
        return
    if not is_digest(value):
        raise Invalid("bad_part_digest", "A mask part is named by its sha256 digest.", field=where)
    if value == EMPTY_PART_DIGEST:
        raise Invalid(
            "empty_tile",
            "A tile without foreground is absent from its mask.",
            field=where,
            cure="Use null for it, or leave it out.",
        )


def _check_parts(geometry: Mapping[str, Any], where: str) -> None:
    tiles = geometry.get("tiles")
    if isinstance(tiles, dict):
        for key, part in tiles.items():
            parse_tile_key(key, f"{where}.tiles.{key}")
            _check_part(part, f"{where}.tiles.{key}", absent=False)


def _check_set(change: Change, where: str) -> None:
    path = change["path"]
    if not isinstance(path, list) or not path or not all(isinstance(step, str) and step for step in path):
        raise Invalid(
            "bad_path", "The path of a change is not one of those that exist.", field=f"{where}.path"
        )
    after = change["after"]
    if path == ["unusable"]:
        check_unusable(after)
        check_unusable(change["before"])
        return
    if path[:1] == ["answers"] and len(path) == 2:
        return
    if path[:1] == ["regions"] and len(path) in (3, 4):
        if not is_region_id(path[1]):
            raise Invalid(
                "bad_region_id", "A region id is 'r_' and 16 base32 letters.", field=f"{where}.path"
            )
        if len(path) == 4 and path[2] == "attributes":
            return
        if len(path) == 3 and path[2] not in _FIXED:
            if path[2] in _REQUIRED and after is None:
                raise Invalid("required_key", "A region cannot be without this key.", field=f"{where}.after")
            if path[2] == "origin":
                check_origin(after, f"{where}.after")
            if path[2] == "geometry" and isinstance(after, dict):
                _check_parts(after, f"{where}.after")
            return
    raise Invalid("bad_path", "The path of a change is not one of those that exist.", field=f"{where}.path")


def apply(document: Mapping[str, Any], changes: Sequence[Change]) -> Document:
    """The document after all changes. ChangeConflict names the first one that does not fit; then nothing
    counts."""
    result: Document = dict(document)
    result["regions"] = dict(document["regions"])
    result["answers"] = dict(document["answers"])
    for index, change in enumerate(changes):
        _apply_one(result, change, index)
    return result


def rebuild(document: Mapping[str, Any], revisions: Iterable[Sequence[Change]]) -> Document:
    """A checkpoint's document and the changes saved since, one list a revision."""
    flat: list[Change] = []
    for changes in revisions:
        flat.extend(changes)
    return apply(document, flat)


def _apply_one(document: Document, change: Change, index: int) -> None:
    op = change["op"]
    regions: dict[str, Any] = document["regions"]
    if op == "add":
        region = change["region"]
        if region["id"] in regions:
            raise ChangeConflict(index, "exists", "A region with this id exists already.")
        regions[region["id"]] = region
    elif op == "remove":
        region = change["region"]
        _same(_region(regions, region["id"], index), region, index)
        del regions[region["id"]]
    elif op == "replace":
        before, after = change["before"], change["after"]
        if before["id"] != after["id"]:
            raise ChangeConflict(index, "id_changed", "A replaced region keeps its id.")
        _same(_region(regions, before["id"], index), before, index)
        regions[before["id"]] = after
    elif op == "tile":
        region = _region(regions, change["region"], index)
        tiles = region["geometry"].get("tiles")
        if not isinstance(tiles, dict):
            raise ChangeConflict(index, "not_tiled", "The region is not made of tiles.")
        tiles = dict(tiles)
        _put(tiles, change["tile"], change, index)
        regions[change["region"]] = {**region, "geometry": {**region["geometry"], "tiles": tiles}}
    elif op == "set":
        _apply_set(document, change, index)
    else:
        raise ChangeConflict(index, "unknown_op", "The change is of a kind that is not known.")


def _apply_set(document: Document, change: Change, index: int) -> None:
    path = change["path"]
    if path == ["unusable"]:
        _same(document["unusable"], change["before"], index)
        document["unusable"] = change["after"]
        return
    if path[:1] == ["answers"] and len(path) == 2:
        _put(document["answers"], path[1], change, index)
        return
    if path[:1] == ["regions"] and len(path) in (3, 4):
        regions = document["regions"]
        region = _region(regions, path[1], index)
        if len(path) == 4 and path[2] == "attributes":
            attributes = dict(region["attributes"])
            _put(attributes, path[3], change, index)
            regions[path[1]] = {**region, "attributes": attributes}
            return
        key = path[2]
        if len(path) == 3 and key not in _FIXED:
            if key in _REQUIRED and change["after"] is None:
                raise ChangeConflict(index, "required_key", "A region cannot be without this key.")
            changed = dict(region)
            if key in _NULL_IS_A_VALUE:
                _same(region.get(key), change["before"], index)
                changed[key] = change["after"]
            else:
                _put(changed, key, change, index)
            regions[path[1]] = changed
            return
    raise ChangeConflict(index, "bad_path", "The path of a change is not one of those that exist.")


def _region(regions: Mapping[str, Any], region_id: str, index: int) -> dict[str, Any]:
    region = regions.get(region_id)
    if region is None:
        raise ChangeConflict(index, "missing", "There is no region with this id.")
    return region  # type: ignore[no-any-return]


def _same(found: object, before: object, index: int) -> None:
    if not same(found, before):
        raise ChangeConflict(
            index, "before_mismatch", "What stands there is not what the change was made on."
        )


def _put(holder: dict[str, Any], key: str, change: Change, index: int) -> None:
    """Null is absent. A key that holds an explicit null (only unknown keys can) is not absent: its inverse
    could not tell the two apart, so it fits no `before` and is changed by replacing the region."""
    if key in holder and holder[key] is None:
        raise ChangeConflict(
            index, "before_mismatch", "What stands there is not what the change was made on."
        )
    _same(holder.get(key), change["before"], index)
    if change["after"] is None:
        holder.pop(key, None)
    else:
        holder[key] = change["after"]


def invert_one(change: Change) -> Change:
    op = change["op"]
    if op == "add":
        return {"op": "remove", "region": change["region"]}
    if op == "remove":
        return {"op": "add", "region": change["region"]}
    return {**change, "before": change["after"], "after": change["before"]}


def invert(changes: Sequence[Change]) -> list[Change]:
    """The changes that take it all back, in the order in which to apply them."""
    return [invert_one(change) for change in reversed(changes)]


def touched(changes: Iterable[Change]) -> Touched:
    found = Touched()
    for change in changes:
        op = change["op"]
        if op in ("add", "remove"):
            found.regions.add(change["region"]["id"])
            if op == "add":
                found.parts |= geometry_parts(change["region"]["geometry"])
        elif op == "replace":
            found.regions.add(change["after"]["id"])
            found.parts |= geometry_parts(change["after"]["geometry"])
        elif op == "tile":
            found.regions.add(change["region"])
            if change["after"] is not None:
                found.parts.add(change["after"])
        else:
            path = change["path"]
            if path[0] == "regions":
                found.regions.add(path[1])
                if path[2:] == ["geometry"]:
                    found.parts |= geometry_parts(change["after"])
            elif path[0] == "answers":
                found.answers.add(path[1])
            else:
                found.unusable = True
    return found
