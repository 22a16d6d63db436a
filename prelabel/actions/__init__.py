"""Verbs of the wing that drafts."""
