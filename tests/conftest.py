"""Fixtures of all tests; settings are in tests/settings.py."""

from __future__ import annotations

pytest_plugins = ["tests.actors"]
