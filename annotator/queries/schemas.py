"""Reads: the parsed form of a schema version, kept because versions never change."""

from __future__ import annotations

from functools import lru_cache

from annotator.core.schema import Schema
from annotator.models import SchemaVersion
from annotator.shapes import parse_schema


def parsed(version: SchemaVersion) -> Schema:
    """The parsed schema of this version."""
    return _parsed(version.pk, version.digest)


@lru_cache(maxsize=64)
def _parsed(pk: int, digest: str) -> Schema:
    # The digest is in the key so that two test databases with equal row ids do not meet.
    return parse_schema(SchemaVersion.objects.values_list("document", flat=True).get(pk=pk))
