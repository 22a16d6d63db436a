"""Hand-written SQL for the few hot paths, on both engines.

Building a query with the ORM costs 0.5 to 5 ms of CPU here (joined tables cost most), a prepared text
0.1 ms; a claim or a save makes a dozen (docs/decisions). Texts stand where they are used; parameters
go through %s only. Rows are read into the same model instances that the ORM makes.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def moment(value: datetime | None) -> Any:
    """A time as a parameter."""
    return connection.ops.adapt_datetimefield_value(value)


def rows(text: str, params: list[Any] | tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall()


def row(text: str, params: list[Any] | tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
    """The first row or None."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchone()


def run(text: str, params: list[Any] | tuple[Any, ...] = ()) -> int:
    """How many rows a statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.rowcount


@lru_cache(maxsize=64)
def _plan(model: type[models.Model], vendor: str) -> tuple[str, list[str], list[tuple[int, list[Any], Any]]]:
    """(SELECT text up to WHERE, attribute names, converters by position) of a model's whole row."""
    fields = model._meta.concrete_fields
    columns = ", ".join(connection.ops.quote_name(str(f.column)) for f in fields)
    text = f"SELECT {columns} FROM {connection.ops.quote_name(model._meta.db_table)} WHERE "
    convert = []
    for at, field in enumerate(fields):
        expression = field.get_col(model._meta.db_table)
        both = [*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)]
        if both:
            convert.append((at, both, expression))
    return text, [f.attname for f in fields], convert


def many(model: type[Row], where: str, params: list[Any] | tuple[Any, ...] = ()) -> list[Row]:
    """Instances of a model for a hand-written condition (and order), as `model.objects.raw` gives them."""
    text, names, convert = _plan(model, connection.vendor)  # type: ignore[arg-type] # a class is hashable
    found = []
    for values in rows(text + where, params):
        cells = list(values)
        for at, converters, expression in convert:
            for converter in converters:
                cells[at] = converter(cells[at], expression, connection)
        found.append(model.from_db("default", names, cells))
    return found


def one(model: type[Row], where: str, params: list[Any] | tuple[Any, ...] = ()) -> Row | None:
    """The first of `many`, or None."""
    return next(iter(many(model, where + " LIMIT 1", params)), None)
