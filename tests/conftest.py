"""Fixtures of all tests; settings are in tests/settings.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["tests.actors"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    first = ("browser", "live", "concurrency")
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in first if here in item.path.parents else 1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """The process's database: a copy of the run's migrated file, on PostgreSQL a new database that is dropped."""
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    from tests.template import lay

    if connection.vendor == "sqlite":
        lay(settings.DATA)
        yield
        return
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def _forget_versions() -> Iterator[None]:
    """Row ids come again in the next test's database."""
    from annotator.queries import versions

    versions.forget()
    yield
