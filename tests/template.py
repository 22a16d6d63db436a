"""One migrated SQLite file a test run; every database that a test wants is a copy of it.

Migrating takes seconds and comes out the same each time, copying takes milliseconds. The run's folder is made by the
first process that reads tests/settings.py and is inherited by its workers and by what tests start, through
CONCORD_TEST_RUN. PostgreSQL databases are migrated as they are.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = "CONCORD_TEST_RUN"
FILE = "concord.sqlite3"


def template() -> Path:
    """The run's migrated file; the first process that asks makes it, the others wait for it."""
    run = Path(os.environ[RUN])
    made = run / "template.sqlite3"
    with open(run / "template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            environment = {key: value for key, value in os.environ.items() if not key.startswith("CONCORD_")}
            environment |= {
                "CONCORD_DATA": str(run / "template"),
                "DJANGO_SETTINGS_MODULE": "annotator.site.settings",
            }
            command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            # What lies beside the file in its log belongs to it.
            with contextlib.closing(sqlite3.connect(run / "template" / FILE)) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            os.replace(run / "template" / FILE, made)
    return made


def lay(data: Path) -> None:
    """A migrated database into a data folder that has none."""
    data.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template(), data / FILE)


def ready() -> None:
    """Make the database of this process's settings usable: a copy where it is the embedded one, else migrate."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "sqlite" and RUN in os.environ and not (settings.DATA / FILE).exists():
        lay(settings.DATA)
    else:
        call_command("migrate", interactive=False, verbosity=0)
