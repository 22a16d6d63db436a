"""Writes access_table.json from the table: python -m tests.contracts.access_table."""

import json
import os
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from annotator import access

    table = {a: {"roles": sorted(r.roles), "who": r.who} for a, r in sorted(access.TABLE.items())}
    Path(__file__).with_name("access_table.json").write_text(json.dumps(table, indent=1) + "\n")
