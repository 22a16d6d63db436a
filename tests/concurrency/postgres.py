"""A PostgreSQL database for one test, or a loud skip."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator

import pytest

ADMIN = os.environ.get("CONCORD_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


@contextlib.contextmanager
def database() -> Iterator[str]:
    """URL of a new empty database, dropped at the end. Skips when no server answers."""
    psycopg = pytest.importorskip("psycopg")
    try:
        admin = psycopg.connect(ADMIN, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at CONCORD_TEST_POSTGRES: {str(error).splitlines()[0]}")
    name = f"concord_test_{secrets.token_hex(6)}"
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield ADMIN.rsplit("/", 1)[0] + "/" + name
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
