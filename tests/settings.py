"""The site's settings for tests: a data folder of its own for each process, no grace, quick passwords.

A settings module and not a fixture: Django reads its settings before any conftest is imported. The folder of the whole
run (tests/template.py) is made by the first process and goes when it ends. CONCORD_TEST_DATABASE, the address of a
PostgreSQL server like postgres://postgres@127.0.0.1:5432/postgres, runs the tests there, each process in a database
of its own.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile

from tests.template import RUN

if RUN not in os.environ:
    os.environ[RUN] = tempfile.mkdtemp(prefix="concord-test-")
    atexit.register(shutil.rmtree, os.environ[RUN], ignore_errors=True)
os.environ["CONCORD_DATA"] = tempfile.mkdtemp(prefix="data-", dir=os.environ[RUN])
os.environ["CONCORD_DATABASE"] = os.environ.get("CONCORD_TEST_DATABASE", "")
os.environ["CONCORD_GRACE_S"] = "0"
os.environ["CONCORD_FAST_PASSWORDS"] = "1"

from annotator.site.settings import *  # noqa: E402, F403
from annotator.site.settings import DATABASES  # noqa: E402

if os.environ["CONCORD_DATABASE"]:
    DATABASES["default"]["TEST"] = {"NAME": f"concord_test_{secrets.token_hex(6)}"}
