"""Steps and checks for machine prelabels: against the schema in force, and into the tables with the task's score.

A prelabel is stored beside the annotation. It reaches a round only when it is there before the round's first seat is
opened (the set is pinned then).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotator.actions.steps import bulk
from annotator.core.document import MAX_REGIONS, AssetInfo
from annotator.core.errors import Invalid, TooLarge
from annotator.core.ids import new_ids
from annotator.core.schema import Schema, _value_problem
from annotator.models import Prelabel, PrelabelSet, Project, Task
from annotator.models.item import prelabel_id
from annotator.shapes import SHAPES

if TYPE_CHECKING:
    from annotator.actions.verb import Writing

_NOT_WRITABLE = ("id", "origin")
_PLAIN = frozenset({"shape", "label", "geometry", "attributes", "asset"})
_COLUMNS = ("id", "public_id", "set_id", "item_id", "regions", "answers", "score")


class PrelabelCheck:
    """Checks regions and answers as importers write them, against one schema version.

    What depends on (label, shape) only is worked out once: an import asks it a hundred thousand times.
    """

    def __init__(self, schema: Schema | None) -> None:
        self.schema = schema
        self.warnings: Counter[str] = Counter()
        self._known: dict[tuple[str, str], tuple[Any, tuple[str | None, ...], dict[str, Any]]] = {}

    def check(
        self, prelabel: dict[str, Any], by_role: dict[str, AssetInfo]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """(regions by new id, answers). Raises Invalid naming the field, which begins with "prelabel."."""
        regions: dict[str, Any] = {}
        listed, answers = prelabel["regions"], prelabel["answers"]
        if self.schema is None:
            raise Invalid("no_schema", "A prelabel needs a schema in force.", field="prelabel")
        if len(listed) > MAX_REGIONS:
            raise TooLarge(
                "too_many_regions",
                "A document holds too many regions.",
                field="prelabel.regions",
                limit=MAX_REGIONS,
            )
        origin = {"kind": "imported", "source": prelabel["source"]}
        for at, (given, region_id) in enumerate(zip(listed, new_ids("r", len(listed)), strict=True)):
            regions[region_id] = self._region(given, region_id, origin, by_role, at)
        for name, value in answers.items():
            control = self.schema.controls.get(name)
            if control is None or control["kind"] == "regions":
                raise Invalid(
                    "answer_not_in_schema",
                    "The schema has no control of this name.",
                    field=f"prelabel.answers.{name}",
                )
            problem = _value_problem(value, control)
            if problem is not None:
                raise Invalid(problem[0], problem[1], field=f"prelabel.answers.{name}")
        return regions, answers

    def _region(
        self, given: Any, region_id: str, origin: dict[str, Any], by_role: dict[str, AssetInfo], at: int
    ) -> dict[str, Any]:
        where = f"prelabel.regions.{at}"
        if not isinstance(given, dict):
            raise Invalid("not_an_object", "An object is wanted here.", field=where)
        for name in _NOT_WRITABLE:
            if name in given:
                raise Invalid(
                    "unknown_field", "Ids and origins are given by the server.", field=f"{where}.{name}"
                )
        label, shape_name = given.get("label"), given.get("shape")
        if not isinstance(label, str) or not isinstance(shape_name, str):
            raise Invalid("missing_field", "A region needs a label and a shape.", field=where)
        known = self._known.get((label, shape_name))
        if known is None:
            known = self._known[(label, shape_name)] = self._rule(label, shape_name, where)
        shape, roles, attributes = known
        role = given.get("asset")
        # nearly always: no role named, one picture in the row
        asset = by_role.get(roles[0] or "") if role is None and len(roles) == 1 else None
        if asset is None:
            asset = self._asset(role, roles, by_role, where)
        geometry = given.get("geometry")
        if shape_name != "box" or not _plain_box(geometry, asset):
            geometry, warned = shape.parse(geometry, asset, field=f"{where}.geometry")
            for entry in warned:
                self.warnings[entry["code"]] += 1
        values = given.get("attributes")
        if values is None:
            values = {}
        elif not isinstance(values, dict):
            raise Invalid("not_an_object", "An object is wanted here.", field=f"{where}.attributes")
        for name, value in values.items():
            if name not in attributes:
                raise Invalid(
                    "attribute_not_in_schema",
                    "The label has no such attribute.",
                    field=f"{where}.attributes.{name}",
                )
            problem = _value_problem(value, attributes[name])
            if problem is not None:
                raise Invalid(problem[0], problem[1], field=f"{where}.attributes.{name}")
        region = {
            "id": region_id,
            "shape": shape_name,
            "label": label,
            "geometry": geometry,
            "attributes": values,
            "asset": asset.id,
            "origin": origin,
        }
        if not given.keys() <= _PLAIN:
            from annotator.core.document import check_region

            for name in given.keys() - _PLAIN:
                region[name] = given[name]
            check_region(region, where, region_id=region_id)
        return region

    def _rule(
        self, label: str, shape_name: str, where: str
    ) -> tuple[Any, tuple[str | None, ...], dict[str, Any]]:
        assert self.schema is not None
        found = self.schema.label(label)
        controls = self.schema.controls_of_label(label)
        if found is None or not controls:
            raise Invalid(
                "label_not_in_schema",
                "The label is not in this schema.",
                field=f"{where}.label",
                label=label[:200],
            )
        if found["retired"]:
            raise Invalid("label_retired", "The label is retired.", field=f"{where}.label", label=label[:200])
        shape = SHAPES.find(shape_name)
        if shape is None:
            raise Invalid("unknown_shape", "There is no shape of this name.", field=f"{where}.shape")
        controls = [control for control in controls if shape_name in control["shapes"]]
        if not controls:
            raise Invalid(
                "wrong_shape", "This label is not drawn with this shape.", field=f"{where}.shape", label=label
            )
        if shape_name == "mask":
            raise Invalid(
                "mask_not_importable",
                "Masks cannot be imported as rows yet.",
                field=f"{where}.shape",
                cure="Import polygons.",
            )
        attributes = {one["name"]: one for one in found["attributes"] if not one["retired"]}
        return shape, tuple(control["asset"] for control in controls), attributes

    def _asset(
        self, role: Any, roles: tuple[str | None, ...], by_role: dict[str, AssetInfo], where: str
    ) -> AssetInfo:
        """The asset a region lies on: the role that it names, else the only one its controls allow."""
        if role is None:
            wanted = [by_role[name] for name in roles if name is not None and name in by_role]
            if not wanted and None in roles and len(by_role) == 1:
                wanted = list(by_role.values())
            if len(wanted) == 1 or (wanted and len(set(map(id, wanted))) == 1):
                return wanted[0]
            raise Invalid(
                "unknown_asset",
                "It is not clear on which asset the region lies.",
                field=f"{where}.asset",
                cure="Name the role of one of the row's assets.",
            )
        if not isinstance(role, str) or role not in by_role:
            raise Invalid("unknown_asset", "The row has no asset of this role.", field=f"{where}.asset")
        if role not in roles and None not in roles:
            raise Invalid("wrong_asset", "This label does not belong on this asset.", field=f"{where}.asset")
        return by_role[role]


def _plain_box(geometry: Any, asset: AssetInfo) -> bool:
    """A box that is in stored form already, inside its picture: `shape.parse` would return it unchanged.

    Most imported regions are such boxes; a test holds this short cut to `box.parse`.
    """
    if type(geometry) is not dict or len(geometry) != 4 or asset.width is None or asset.height is None:
        return False
    try:
        x0, y0, x1, y1 = geometry["x0"], geometry["y0"], geometry["x1"], geometry["y1"]
    except KeyError:
        return False
    for value in (x0, y0, x1, y1):
        if type(value) is not int and (
            type(value) is not float or value != round(value, 3) or value.is_integer()
        ):
            return False
    return bool(0 <= x0 < x1 <= asset.width and 0 <= y0 < y1 <= asset.height)


@dataclass(slots=True)
class NewPrelabel:
    """One proposal to be stored."""

    set_id: int
    item_id: int
    regions: dict[str, Any]
    answers: dict[str, Any]
    score: float | None
    public_id: str = ""


def open_set(w: Writing, project: Project, source: str, version: str) -> PrelabelSet:
    """The set of one run of one source; the same run finds its set again."""
    found = PrelabelSet.objects.filter(project=project, source=source, version=version).order_by("id").first()
    return found or PrelabelSet.objects.create(
        project=project, source=source, version=version, created_at=w.now
    )


def insert_prelabels(rows: list[NewPrelabel]) -> None:
    """Store proposals of items whose tasks are written in the same step (their score is set there)."""
    ids = bulk.reserve_ids(Prelabel, len(rows))
    for row in rows:
        row.public_id = row.public_id or prelabel_id()
    bulk.insert(
        Prelabel,
        _COLUMNS,
        (
            (pk, r.public_id, r.set_id, r.item_id, r.regions, r.answers, r.score)
            for pk, r in zip(ids, rows, strict=True)
        ),
    )


def store_prelabels(w: Writing, project: Project, rows: list[NewPrelabel], source: str) -> int:
    """Store proposals of items that exist, set their tasks' scores, one event an item. Returns how many.

    An item that has a proposal of this set already keeps it: the step may be repeated.
    """
    have = set(
        Prelabel.objects.filter(
            set_id__in={r.set_id for r in rows}, item_id__in=[r.item_id for r in rows]
        ).values_list("set_id", "item_id")
    )
    rows = [r for r in rows if (r.set_id, r.item_id) not in have]
    if not rows:
        return 0
    insert_prelabels(rows)
    tasks = {t.item_id: t for t in Task.objects.filter(item_id__in=[r.item_id for r in rows])}
    changed = []
    for r in rows:
        task = tasks.get(r.item_id)
        if task is not None and task.score != r.score:
            task.score = r.score
            changed.append(task)
    Task.objects.bulk_update(changed, ["score"], batch_size=300)
    w.events(
        project.public_id,
        [
            (
                "prelabel.stored",
                r.public_id,
                tasks[r.item_id].public_id if r.item_id in tasks else "",
                {"source": source, "regions": len(r.regions)},
            )
            for r in rows
        ],
    )
    return len(rows)
