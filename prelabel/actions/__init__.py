"""Verbs of the wing that prelabels."""
