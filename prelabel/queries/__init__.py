"""Reads of the wing that drafts; they never write."""
