"""The form of a backup: what writing and reading one agree on. Pure constants."""

from __future__ import annotations

FORMAT = 1
"""Readers accept all earlier ones."""
APPS = ("annotator", "review", "prelabel", "knox")
"""Whose tables are kept. Sessions are not: everybody signs in again after a restore."""
MANIFEST = "MANIFEST.json"
"""The last member: {"body": …, "sha256": canonical digest of the body}."""
FOLDERS = ("keys",)
"""Folders of the data folder that are kept whole."""
FILES = ("anchors.jsonl",)
"""Files of the data folder that are kept."""
