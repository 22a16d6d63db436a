"""Reads of immutable rows - schema and workflow versions - kept in memory because they never change."""

from __future__ import annotations

from functools import lru_cache

from annotator.core.schema import Schema
from annotator.models import SchemaVersion, WorkflowVersion
from annotator.shapes import parse_schema


@lru_cache(maxsize=128)
def schema_version(pk: int) -> SchemaVersion:
    """The row; callers must not alter it."""
    return SchemaVersion.objects.get(pk=pk)


@lru_cache(maxsize=128)
def workflow_version(pk: int) -> WorkflowVersion:
    """The row; callers must not alter it."""
    return WorkflowVersion.objects.get(pk=pk)


@lru_cache(maxsize=64)
def _parsed(pk: int) -> Schema:
    return parse_schema(schema_version(pk).document)


def parsed(version: SchemaVersion) -> Schema:
    """The parsed schema of a version."""
    return _parsed(version.pk)


def forget() -> None:
    """Empty the caches: after a restore, and between tests whose databases reuse row ids."""
    for cache in (schema_version, workflow_version, _parsed):
        cache.cache_clear()
