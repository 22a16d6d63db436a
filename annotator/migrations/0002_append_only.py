"""Triggers: rows of the event log and of revisions cannot be changed or removed, whoever asks."""

from django.db import migrations

SQLITE = """
CREATE TRIGGER {table}_{op}_refused BEFORE {OP} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION concord_append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$ LANGUAGE plpgsql
"""
POSTGRES = """
CREATE TRIGGER {table}_{op}_refused BEFORE {OP} ON {table}
FOR EACH ROW EXECUTE FUNCTION concord_append_only()
"""
REFUSED = (("annotator_event", "UPDATE"), ("annotator_event", "DELETE"), ("annotator_revision", "UPDATE"))


def install(apps, schema_editor):
    """Create the triggers for this engine."""
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(POSTGRES_FUNCTION)
    for table, op in REFUSED:
        form = SQLITE if vendor == "sqlite" else POSTGRES
        schema_editor.execute(form.format(table=table, op=op.lower(), OP=op))


def remove(apps, schema_editor):
    """Drop them."""
    on = "" if schema_editor.connection.vendor == "sqlite" else " ON {table}"
    for table, op in REFUSED:
        schema_editor.execute(("DROP TRIGGER {table}_{op}_refused" + on).format(table=table, op=op.lower()))


class Migration(migrations.Migration):
    """Events: no update, no delete. Revisions: no update (a withdrawn project's rows may be erased)."""

    dependencies = [("annotator", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
