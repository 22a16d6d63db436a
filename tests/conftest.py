"""Fixtures of all tests; settings are in tests/settings.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.actors"]


@pytest.fixture(autouse=True)
def _forget_versions() -> Iterator[None]:
    """Row ids come again in the next test's database."""
    from annotator.queries import versions

    versions.forget()
    yield
