"""The site's settings for tests: a data folder of its own for each process, no grace, quick passwords.

A settings module and not a fixture: Django reads its settings before any conftest is imported.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="concord-test-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["CONCORD_DATA"] = _data
os.environ["CONCORD_GRACE_S"] = "0"
os.environ["CONCORD_FAST_PASSWORDS"] = "1"

from annotator.site.settings import *  # noqa: E402, F403
