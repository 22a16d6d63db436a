"""Step: many rows of one table in one prepared statement.

Django's bulk_create compiles a statement for each forty rows of a wide table on SQLite, which costs more than the
rows. Here one INSERT is prepared and run for each row; row ids are reserved first, so that rows may refer to each
other before anything is written. Demands an open transaction (and so the write lock).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models, transaction


def reserve_ids(model: type[models.Model], n: int) -> list[int]:
    """n unused row ids in rising order. On PostgreSQL they come from the table's sequence."""
    if not n:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, n]
            )
            return sorted(row[0] for row in cursor.fetchall())
        # The write lock keeps others away; AUTOINCREMENT never gives an id twice, so ask its own table too.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        cursor.execute(f'SELECT COALESCE(MAX("id"), 0) FROM "{table}"')
        first = max(first, cursor.fetchone()[0] + 1)
    return list(range(first, first + n))


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of `names` (attribute names, foreign keys as `x_id`)."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("rows are inserted inside a verb only")
    by_attribute = {f.attname: f for f in model._meta.concrete_fields}
    columns, adapt = [], []
    for at, name in enumerate(names):
        column = by_attribute[name]
        columns.append(column.column)
        if isinstance(column, models.JSONField):
            adapt.append((at, _json(column)))
        elif isinstance(column, models.DateTimeField):
            adapt.append((at, _moment()))
    quoted = ", ".join(connection.ops.quote_name(c) for c in columns)
    marks = ", ".join(["%s"] * len(columns))
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({quoted}) VALUES ({marks})"

    def adapted() -> Iterable[list[Any]]:
        for row in rows:
            values = list(row)
            for at, convert in adapt:
                values[at] = convert(values[at])
            yield values

    with connection.cursor() as cursor:
        cursor.executemany(sql, list(adapted()))


def _json(column: Any) -> Any:
    if connection.vendor == "postgresql":
        return lambda value: None if value is None else connection.ops.adapt_json_value(value, column.encoder)
    encode = json.JSONEncoder().encode

    def convert(value: Any) -> str | None:
        if not value:
            # most JSON columns of a new row are empty
            return None if value is None else "{}" if value == {} else "[]" if value == [] else encode(value)
        return encode(value)

    return convert


def _moment() -> Any:
    known: dict[Any, Any] = {}

    def convert(value: Any) -> Any:
        if value not in known:
            known[value] = connection.ops.adapt_datetimefield_value(value)
        return known[value]

    return convert
